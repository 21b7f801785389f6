(() => {
  const found = [];
  const shown = e => { const s = getComputedStyle(e); return s.display !== 'none' && s.visibility !== 'hidden'; };
  const visible = e => { for (; e; e = e.parentElement) if (!shown(e)) return false; return true; };
  const name = e => e.tagName.toLowerCase() + ' "' + e.textContent.trim().slice(0, 40) + '"';
  const numbers = colour => { const n = colour.match(/[\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const light = ([r, g, b]) => {
    const part = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c[3] === 1) return c;
      if (c[3] > 0) return null; // see-through: nobody can say
    }
    return [255, 255, 255, 1];
  };
  const root = document.documentElement;
  if (root.scrollWidth > window.innerWidth) found.push(`the page is ${root.scrollWidth} wide, the screen ${window.innerWidth}`);
  for (const e of document.body.querySelectorAll('*')) {
    if (!visible(e)) continue;
    if (e.clientWidth > 0 && e.scrollWidth > e.clientWidth) found.push(`${name(e)} is ${e.scrollWidth} wide in ${e.clientWidth}`);
    for (const box of e.getClientRects())
      if (box.right > window.innerWidth + 0.5 || box.left < -0.5) found.push(`${name(e)} reaches from ${box.left} to ${box.right}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let t = texts.nextNode(); t; t = texts.nextNode()) {
    const e = t.parentElement;
    if (!t.data.trim() || !visible(e)) continue;
    const on = ground(e), c = numbers(getComputedStyle(e).color);
    if (!on || c[3] !== 1 || Number(getComputedStyle(e).opacity) !== 1) { found.push(`${name(e)} is see-through`); continue; }
    const [a, b] = [light(c), light(on)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`${name(e)} has a contrast of ${contrast.toFixed(2)}:1`);
  }
  return found;
})()
