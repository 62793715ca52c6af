// Lists what keeps somebody who does not see the page from finding the way in it.
() => {
  const faults = [], all = (selector) => [...document.querySelectorAll(selector)];
  const short = (el) => el.outerHTML.replace(/\s+/g, " ").slice(0, 90);
  const want = (holds, fault) => { if (!holds) faults.push(fault); };
  want(/^[a-z]{2}\b/.test(document.documentElement.lang), "the document names no language");
  want(document.title.trim(), "the document has no title");
  want(!/user-scalable=no|maximum-scale/.test(document.querySelector("meta[name=viewport]")?.content ?? "maximum-scale"), "the page cannot be enlarged");

  const headings = all("h1, h2, h3, h4, h5, h6").map((h) => ({level: +h.tagName[1], text: h.textContent.trim()}));
  want(headings.filter((h) => h.level === 1).length === 1, "there is not exactly one h1");
  headings.forEach((h, i) => {
    want(h.text, "an h" + h.level + " is empty");
    want(h.level <= (headings[i - 1]?.level ?? 0) + 1, `the heading ${h.text} of level ${h.level} follows one of level ${headings[i - 1]?.level ?? 0}`);
  });

  for (const landmark of ["main", "body > header", "body > footer"]) want(all(landmark).length === 1, "there is not exactly one " + landmark);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    if (walk.currentNode.data.trim() && !el.closest("script, header, main, footer, .skip")) faults.push("outside of every landmark: " + short(el));
  }
  const skip = document.querySelector("body > a:first-of-type[href^='#']");
  want(skip && document.querySelector(skip.hash), "no link at the beginning leads to the checks");

  const ids = all("[id]").map((el) => el.id);
  want(new Set(ids).size === ids.length, "ids stand twice: " + ids.filter((id, i) => ids.indexOf(id) !== i));
  for (const el of all("[aria-labelledby], [aria-describedby]"))
    for (const id of `${el.getAttribute("aria-labelledby") ?? ""} ${el.getAttribute("aria-describedby") ?? ""}`.trim().split(" "))
      want(document.getElementById(id), "nothing has the id that names " + short(el));
  for (const use of all("use")) want(document.querySelector(use.getAttribute("href")), "nothing is drawn by " + short(use));

  for (const li of all("li")) want(/^(UL|OL)$/.test(li.parentElement.tagName), "an item outside of a list: " + short(li));
  for (const list of all("ul, ol")) for (const el of list.children) want(el.tagName === "LI", "in a list, but no item: " + short(el));
  for (const dl of all("dl")) for (const el of dl.children) want(/^(DIV|DT|DD)$/.test(el.tagName), "in a dl: " + short(el));
  for (const el of all("span, b, i, em, p, div, small, time, pre"))
    want(el.hasAttribute("role") || !(el.hasAttribute("aria-label") || el.hasAttribute("aria-labelledby")), "a name on what cannot have one: " + short(el));
  for (const svg of all("svg"))
    want(svg.getAttribute("aria-hidden") === "true" || (svg.getAttribute("role") === "img" && svg.getAttribute("aria-label")?.trim()), "a picture without a word: " + short(svg));
  want(all("[tabindex]").every((el) => el.tabIndex <= 0), "a tabindex above 0 changes the order");
  return faults;
}
