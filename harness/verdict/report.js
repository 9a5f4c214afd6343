(() => {
  'use strict';
  const $ = (q, from = document) => [...from.querySelectorAll(q)];
  const specs = $('.spec'), rows = $('.catalogue tbody tr'), tiles = $('button.tile');
  const search = document.getElementById('search'), count = document.getElementById('count');
  const chosen = new Set();
  const texts = new Map(specs.map(s => [s, (s.querySelector('summary').textContent + ' ' + s.id).toLowerCase()]));
  const hide = (e, yes) => e.toggleAttribute('data-hidden', yes);

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (e, text) => (!chosen.size || chosen.has(e.dataset.verdict)) && words.every(w => text.includes(w));
    let shown = 0;
    for (const s of specs) {
      const yes = fits(s, texts.get(s));
      hide(s, !yes);
      shown += yes;
    }
    for (const r of rows) hide(r, !fits(r, r.textContent.toLowerCase()));
    for (const h of $('#specs h3')) {
      let any = false;
      for (let e = h.nextElementSibling; e && e.matches('.spec'); e = e.nextElementSibling) any ||= !e.hasAttribute('data-hidden');
      hide(h, !any);
    }
    for (const t of tiles) t.setAttribute('aria-pressed', chosen.has(t.dataset.verdict));
    count.textContent = shown === specs.length ? `${shown} specs` : `${shown} of ${specs.length} specs`;
    document.getElementById('nothing').hidden = shown > 0;
  }

  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) {
      if (e.matches('details')) e.open = true;
      if (e.hasAttribute('data-hidden')) { chosen.clear(); search.value = ''; apply(); }
    }
    target.scrollIntoView();
  }

  for (const t of tiles) t.addEventListener('click', () => {
    chosen.has(t.dataset.verdict) ? chosen.delete(t.dataset.verdict) : chosen.add(t.dataset.verdict);
    apply();
    document.getElementById('specs').scrollIntoView();
  });
  search.addEventListener('input', apply);
  document.getElementById('all').addEventListener('click', () => { chosen.clear(); search.value = ''; apply(); });
  const each = open => () => specs.forEach(s => { if (!s.hasAttribute('data-hidden')) s.open = open; });
  document.getElementById('open').addEventListener('click', each(true));
  document.getElementById('close').addEventListener('click', each(false));
  for (const b of $('.copy')) {
    if (!navigator.clipboard) break;
    b.hidden = false;
    b.addEventListener('click', async () => {
      await navigator.clipboard.writeText(b.parentElement.querySelector('code').textContent);
      b.textContent = 'Copied';
      setTimeout(() => { b.textContent = 'Copy'; }, 1500);
    });
  }
  document.querySelector('.filter').hidden = false;
  addEventListener('hashchange', reveal);
  apply();
  reveal();
})();
