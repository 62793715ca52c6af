// Lists what is hard to read: text with a contrast to its background below 4.5, and marks below 3 (WCAG 2.2, 1.4.3 and
// 1.4.11). Backgrounds, opacity and grayscale of every ancestor count.
() => {
  const faults = [];
  const parse = (color) => {
    const m = color.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
    if (!m) throw new Error("cannot read the color " + color);
    return [+m[1], +m[2], +m[3], m[4] === undefined ? 1 : +m[4]];
  };
  const over = (top, below, alpha = top[3]) => [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha)).concat(1);
  const gray = (c, amount) => {
    const y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    return [0, 1, 2].map((i) => c[i] + (y - c[i]) * amount).concat(1);
  };
  // look returns the colors in which an element's ink and the background behind it are seen.
  const look = (chain, ink, below) => {
    const [el, ...rest] = chain, style = getComputedStyle(el);
    if (style.backgroundImage !== "none" || style.mixBlendMode !== "normal") throw new Error("cannot judge " + el.outerHTML.slice(0, 99));
    const back = over(parse(style.backgroundColor), below);
    let seen = rest.length ? look(rest, ink, back) : {fore: over(parse(ink), back), back};
    const filter = style.filter.match(/^grayscale\(([\d.]+)\)$/);
    if (style.filter !== "none" && !filter) throw new Error("cannot judge the filter " + style.filter);
    if (filter) seen = {fore: gray(seen.fore, +filter[1]), back: gray(seen.back, +filter[1])};
    return {fore: over(seen.fore, below, +style.opacity), back: over(seen.back, below, +style.opacity)};
  };
  const luminance = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const s = c[i] / 255;
    return sum + weight * (s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4);
  }, 0);
  const judge = (el, ink, least, what) => {
    const chain = [];
    for (let e = el; e; e = e.parentElement) chain.unshift(e);
    const {fore, back} = look(chain, ink, [255, 255, 255, 1]);
    const [light, dark] = [luminance(fore), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < least) faults.push(`${what} has a contrast of ${ratio.toFixed(2)}, less than ${least}`);
  };
  const shown = (el) => el.checkVisibility({visibilityProperty: true}) && el.getClientRects().length > 0 && !el.closest(".unseen, .skip:not(:focus)");
  let texts = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
    if (!text || el.closest("script, style, title") || !shown(el)) continue;
    texts++;
    judge(el, getComputedStyle(el).color, 4.5, JSON.stringify(text.slice(0, 40)));
  }
  for (const mark of document.querySelectorAll(".mark, .probe svg")) {
    if (shown(mark)) judge(mark, getComputedStyle(mark).fill, 3, mark.outerHTML.slice(0, 60));
  }
  if (texts < 20) faults.push(`there are only ${texts} texts`);
  return [...new Set(faults)];
}
