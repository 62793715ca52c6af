// Lists what does not fit into the width of the window. What can be scrolled by itself, or is cut off on purpose, fits.
() => {
  const faults = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);
  for (const el of document.querySelectorAll("body *")) {
    if (el.closest(".unseen, .skip:not(:focus), symbol") || !el.checkVisibility()) continue;
    const box = el.getBoundingClientRect();
    if (box.width && (box.right > width + 0.5 || box.left < -0.5)) {
      faults.push(`${el.outerHTML.slice(0, 60)} reaches from ${box.left.toFixed()} to ${box.right.toFixed()}`);
    }
    // Text that is scrolled sideways is not read.
    if (/auto|scroll/.test(getComputedStyle(el).overflowX) && el.scrollWidth > el.clientWidth) {
      faults.push(`${el.outerHTML.slice(0, 60)} is to be scrolled sideways`);
    }
  }
  return faults.slice(0, 10);
}
