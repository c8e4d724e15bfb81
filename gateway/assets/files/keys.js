// The keys of the operators' pages. Single ones can be switched off by those whom speech or unsteady hands make press them.
'use strict';
(() => {
  const $ = (selector) => document.querySelector(selector);
  const keys = $('#keys'), single = $('#single-keys'), search = $('#q');
  if (!keys) return;

  try { single.checked = localStorage.getItem('single-keys') !== 'off'; } catch { /* no storage: they are on */ }
  single.addEventListener('change', () => {
    try { localStorage.setItem('single-keys', single.checked ? 'on' : 'off'); } catch { /* until the page is left */ }
  });
  // step goes from source to source.
  const step = (by) => {
    const links = [...document.querySelectorAll('.rows h3 a')];
    const at = links.findIndex((link) => link.closest('.rows > *').contains(document.activeElement));
    links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  };
  const arrows = {ArrowDown: () => step(1), ArrowUp: () => step(-1)};
  const singles = {j: () => step(1), k: () => step(-1), '/': () => search?.focus(), '?': () => keys.showModal()};
  document.addEventListener('keydown', (event) => {
    const {key, target} = event;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (key === 'Escape' && target === search) { event.preventDefault(); search.blur(); return; } // what was typed stays
    if (target.matches('input, select, textarea') || $('dialog[open]')) return;
    const act = target.closest('.rows > *') && arrows[key] || single.checked && singles[key];
    if (act) { event.preventDefault(); act(); }
  });
  $('#show-keys').hidden = false;
})();
