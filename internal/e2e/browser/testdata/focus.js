// Tells what has the focus: its place among the controls of the page, -1 if it is none of them, and what is wrong with
// how that is shown.
(() => {
  // Controls, and what can be scrolled: both must be reached without a mouse.
  window.controls = () => [...document.querySelectorAll("a[href], summary, button, input, select, textarea, main *")].filter((el) => {
    if (!el.checkVisibility()) return false;
    if (el.matches("a[href], summary, button, input, select, textarea")) return true;
    return /auto|scroll/.test(getComputedStyle(el).overflowY) && el.scrollHeight > el.clientHeight + 1;
  });
  window.focused = () => {
    const el = document.activeElement, style = getComputedStyle(el), box = el.getBoundingClientRect(), faults = [];
    const short = el.outerHTML.replace(/\s+/g, " ").slice(0, 90);
    const place = controls().indexOf(el);
    if (place < 0) return {place, short, faults};
    if (!el.matches(":focus-visible")) faults.push("is not marked");
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) faults.push("has no outline");
    if (style.outlineColor.endsWith(", 0)")) faults.push("has a transparent outline");
    if (box.width < 1 || box.height < 1 || box.bottom < 1 || box.top > innerHeight - 1 || box.right < 1 || box.left > innerWidth - 1) faults.push("is out of sight");
    const reach = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth);
    for (let e = el.parentElement; e; e = e.parentElement) {
      if (getComputedStyle(e).overflow === "visible" || e === document.body || e === document.documentElement) continue;
      const limit = e.getBoundingClientRect();
      if (box.left - reach < limit.left || box.right + reach > limit.right) faults.push("has an outline that is cut off");
    }
    return {place, short, faults};
  };
})()
