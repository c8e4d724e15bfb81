// What the operators' pages do beyond HTML: they follow events, mark what changed, and show how long an action takes.
// Pages are whole without it. It runs before htmx, so that it misses no event, and does without htmx too.
'use strict';
(() => {
  const $ = (selector) => document.querySelector(selector);
  const live = $('#live');
  if (!live) return;

  const POLL = 15000;       // between reads of the page while no stream is open, and between tries to open one
  const AGE = 60000;        // after which the page is read again although nothing was said
  const SILENCE = 600000;   // a stream that says nothing for so long is opened anew: its connection may be dead
  const PATIENCE = 60000;   // a pointer that rests for longer holds the order of rows no more
  const MARKED = 8000;      // how long a change is marked
  const GATHER = 2000;      // how long changes are gathered before they are said
  const BRIEF = 5000;       // a stream that ends sooner was cut off, or is none

  const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const short = (ms) => {   // as the pages write times: see Short in words.go
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return s + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min';
    if (s < 86400) return Math.floor(s / 3600) + ' h';
    return Math.floor(s / 86400).toLocaleString('en') + ' d';
  };
  const on = (name, act) => document.addEventListener(name, (event) => { act(event.detail, event); show(); });

  // ---- the stream, which hx-sse opens, and opens again when it ends; it closes it while the page is hidden
  const skew = Date.now() - live.dataset.now; // of this clock, against the gateway's
  let connection = null;    // hx-sse's, as long as it looks after a stream
  let open = false, refused = false, out = false, failed = false;
  let heard = Date.now(), changed = 0, read = Date.now(), tried = Date.now(), ticked = Date.now(), opened = 0, brief = 0;

  const connect = () => { tried = Date.now(); window.htmx?.trigger(live, 'esagate:connect'); };
  const reconnect = () => { heard = Date.now(); connection?.reader?.cancel(); };
  // refresh reads the page again: htmx does so at once, and then at most once a second.
  const refresh = () => {
    if (document.hidden || out) return;
    read = Date.now();
    window.htmx?.trigger('#board', 'esagate:refresh');
  };
  const show = () => {
    const [state, text] = out ? ['out', 'signed out:'] :
      document.hidden ? ['paused', 'updates are paused'] :
      !window.htmx ? ['lost', 'no live updates'] :
      open ? (failed ? ['lost', 'not up to date, trying again…'] : ['live', 'live']) :
      refused ? ['lost', 'no live updates, read again every 15 s'] : ['lost', 'reconnecting…'];
    live.dataset.state = state;
    setText(live.querySelector('[role=status]'), text);
    setText(live.querySelector('.last'), state === 'live' && changed ? `· last change ${short(Date.now() - changed)} ago` : '');
    const link = live.querySelector('a');
    link.hidden = !out;
    link.href = '/ops/sign-in?next=' + encodeURIComponent(location.pathname + location.search);
  };

  on('htmx:sse:before:connection', (detail, event) => {
    connection = detail.connection;
    if (opened) brief = Date.now() - opened < BRIEF ? brief + 1 : 0;
    opened = 0;
    if (!out && brief < 3) return;
    event.preventDefault(); // hx-sse would open brief ones without end: it waits longer only where opening fails
    brief = 0; refused = true;
  });
  on('htmx:sse:after:connection', () => {
    open = true; refused = failed = false; heard = opened = Date.now();
    refresh();              // for what happened while there was no stream
  });
  on('htmx:sse:after:message', () => { heard = changed = Date.now(); refresh(); });
  on('htmx:sse:error', ({status}) => { open = false; out ||= status === 401; refused = Boolean(status); });
  on('htmx:sse:close', () => { connection = null; open = false; tried = Date.now(); });
  on('htmx:before:response', ({ctx}, event) => {
    if (ctx.response.status !== 401) return;
    out = true;             // htmx would leave for the page for signing in, and take away what is here
    event.preventDefault();
  });
  on('htmx:response:error', ({ctx}) => { if (ctx.sourceElement === live) refused = true; else failed ||= ctx.target?.id === 'board'; });
  on('htmx:error', ({ctx}) => {
    failed ||= ctx?.target?.id === 'board';
    const progress = ctx?.sourceElement?.closest('form[data-action]')?.querySelector('[data-progress]');
    setText(progress, 'No answer came, so it is not known what came of this. Close this and look before you try again.');
  });
  on('visibilitychange', () => {
    if (document.hidden) return;
    open = Boolean(connection?.reader);
    out = false;            // somebody may have signed in elsewhere meanwhile
    ticked = Date.now();    // timers hardly run while a page is hidden
    brief = 0;              // it ended because the page was hidden
    if (!connection) connect();
    refresh();
  });
  window.addEventListener('online', reconnect);

  // ---- rows: their order is held while one is pointed at or has the focus, and what changed is marked
  let touched = 0, owed = false, anchor = null, seen = new Map();
  for (const name of ['pointermove', 'pointerdown', 'keydown', 'wheel']) {
    document.addEventListener(name, () => { touched = Date.now(); }, {passive: true});
  }
  const held = () => Date.now() - touched < PATIENCE ? $('.rows > :hover, .rows > :focus-within') : null;
  const rows = () => [...document.querySelectorAll('.rows > [id], .title')]; // of a source's page, its title
  const nameOf = (row) => row.querySelector('h1, h3')?.textContent.trim() ?? '';
  const wordOf = (row) => row.querySelector('.word, .state strong')?.textContent.trim() ?? '';
  // Times in a sentence go on by themselves, which is no change.
  const says = (row) => (wordOf(row) + row.querySelector('.what')?.textContent).replace(/[\d,]+ (s|min|h|d)\b/g, '');
  const GONE = 'no longer in this list';

  // keepOrder gives what is to come the order of what is there. A row that is not to come stays until the order is
  // released.
  const keepOrder = (list, next) => {
    const fresh = new Map([...next.children].map((row) => [row.id, row]));
    const wanted = [...fresh.keys()].join();
    for (const row of [...list.children]) {
      if (!fresh.has(row.id)) row.dataset.note = GONE;
      else if (row.dataset.note === GONE) delete row.dataset.note;
      next.append(fresh.get(row.id) ?? row.cloneNode(true));
      fresh.delete(row.id);
    }
    next.append(...fresh.values());
    owed = wanted !== [...next.children].map((row) => row.id).join();
  };
  on('htmx:before:swap', ({ctx, tasks}, event) => {
    const fragment = tasks.find((task) => task.type === 'main')?.fragment;
    if (ctx.select && !fragment?.childElementCount) { // another page, which says what went wrong
      const page = new DOMParser().parseFromString(ctx.text, 'text/html');
      const said = [...page.querySelectorAll('main :is(h1, p)')].slice(0, 2).map((e) => e.textContent.trim());
      setText(ctx.sourceElement.querySelector('[data-progress]'), said.join('. '));
      failed ||= ctx.target.id === 'board';
      event.preventDefault();
      return;
    }
    const row = held(), next = fragment?.querySelector('.rows');
    owed = false;
    if (row && next) keepOrder(row.parentElement, next);
    anchor = row && [row, row.getBoundingClientRect().top];
    seen = new Map(rows().map((r) => [r.id, {says: says(r), name: nameOf(r), gone: r.dataset.note === GONE}]));
  });
  on('htmx:after:swap', ({ctx}) => {
    if (ctx.target?.id === 'board') failed = false;
    if (anchor?.[0].isConnected) scrollBy(0, anchor[0].getBoundingClientRect().top - anchor[1]);
    for (const row of rows()) {
      const was = seen.get(row.id)?.says;
      seen.delete(row.id);
      if (was === says(row) || row.dataset.note === GONE) continue;
      row.dataset.note = 'changed';
      marks.set(row.id, [row, Date.now() + MARKED]);
      tell(row.id, `${nameOf(row)} is ${wordOf(row).toLowerCase()}.`);
    }
    for (const [id, {name, gone}] of seen) if (!gone) tell(id, `${name} has left this list.`);
    seen.clear();
    anchor = null;
    const form = ctx.sourceElement.closest('form[data-action]');
    if (form) { form.closest('dialog')?.close(); $('#outcome')?.focus(); }
    tick();
  });
  const marks = new Map();  // by the id of a row, until when it is marked
  const told = new Map();   // what is to be said, by the id of a row
  const tell = (id, text) => {
    if (told.size === 0) setTimeout(() => {
      setText($('#said'), told.size > 3 ? `${told.size} sources changed.` : [...told.values()].join(' '));
      told.clear();
    }, GATHER);
    told.set(id, text);
  };

  // ---- actions
  let busy = null;          // the one that runs
  const begin = (form, button) => {
    busy = {form, button, text: button.textContent, since: Date.now()};
    button.setAttribute('aria-busy', 'true');
    setText(form.querySelector('[data-progress]'), form.dataset.busy ?? '');
  };
  on('htmx:before:request', ({ctx}, event) => {
    // A browser has few connections, and pages that were opened behind others would take them all.
    if (ctx.sourceElement === live && document.hidden) event.preventDefault();
    const form = ctx.sourceElement.closest('form[data-action]');
    if (form && busy) event.preventDefault(); // one at a time, and none twice
    else if (form) begin(form, form.querySelector('[data-submit]'));
  });
  on('htmx:finally:request', ({ctx}) => {
    if (!busy || ctx.sourceElement !== busy.form) return;
    busy.button.removeAttribute('aria-busy');
    setText(busy.button, busy.text);
    const progress = busy.form.querySelector('[data-progress]');
    if (progress?.textContent === busy.form.dataset.busy) setText(progress, out ? 'You are signed out.' : '');
    busy = null;
  });
  on('submit', (detail, event) => {
    if (event.defaultPrevented || event.target.method !== 'post' || !event.submitter) return;
    if (busy) event.preventDefault(); else begin(event.target, event.submitter);
  });
  window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

  // ---- every second: times go on, marks fade, and what has waited for too long is done
  const tick = () => {
    const now = Date.now();
    if (now - ticked > 30000 || now - heard > SILENCE) reconnect(); // the machine slept, or the stream does
    ticked = now;
    for (const [id, [row, until]] of marks) {
      if (now < until) continue;
      marks.delete(id);
      if (row.dataset.note === 'changed') delete row.dataset.note;
    }
    for (const time of document.querySelectorAll('time[datetime]')) {
      if (/^[\d,]+ (s|min|h|d)$/.test(time.textContent)) setText(time, short(now - skew - Date.parse(time.dateTime)));
    }
    if (busy) setText(busy.button, `${busy.text} · ${short(now - busy.since)}`);
    if (!connection && !out && !document.hidden && now - tried > POLL) connect();
    if (owed && !held() || now - read > (open && !failed ? AGE : POLL)) refresh();
    show();
  };
  setInterval(tick, 1000);

  live.hidden = false;
  show();
})();
