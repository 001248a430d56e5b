// Shows the farm as the stream tells it. What comes from there is only ever set
// as text: the page's policy forbids the browser to take it for markup.

const byId = (id) => document.getElementById(id);

let changeable = false; // whoever has the login may add printers

// Printers

const cards = new Map(); // id → {data, element}
const groups = ['attention', 'printing', 'paused', 'idle', 'offline', 'error', 'unreachable', 'disabled'];

const capital = (sentence) => sentence.charAt(0).toUpperCase() + sentence.slice(1);
const words = (name) => capital(name.replaceAll('_', ' '));

// text sets an element's text, and hides it when there is none.
function text(element, content) {
  element.hidden = !content;
  if (element.textContent !== content) element.textContent = content;
}

function show(data) {
  let card = cards.get(data.id);
  if (!card) {
    card = { element: byId('card').content.firstElementChild.cloneNode(true) };
    cards.set(data.id, card);
    screen.observe(card.element);
  }
  card.data = data;
  draw(card);
  return card.element;
}

function draw({ data, element }) {
  const part = (name) => element.querySelector('.' + name);
  element.className = 'card ' + data.group;
  element.dataset.printer = data.id;
  part('name').textContent = data.name;
  part('name').href = data.url;
  part('name').title = 'Open OctoPrint at ' + data.url;
  part('state').textContent = data.maintenance ? 'Maintenance' : words(data.state);
  drawPicture(part('picture'), data);
  drawJob(part, data);
  text(part('attention'), data.attention ?? '');
  text(part('detail'), data.detail ?? '');
  drawHeaters(part('heaters'), data.heaters ?? []);
  part('enroll').hidden = !changeable || !['unauthorized', 'disabled'].includes(data.state);
  part('enroll').href = 'login#enroll=' + encodeURIComponent(data.id);
}

// Pictures

const cameraInterval = 10_000;

// Only what is on the screen is loaded, and cameras are looked through again and
// again as long as they are.
const onScreen = new Set();
const screen = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const image = target.querySelector('.picture');
    if (isIntersecting) onScreen.add(image);
    else onScreen.delete(image);
    if (isIntersecting && image.hidden) loadPicture(image);
  }
});
setInterval(() => {
  for (const image of onScreen) if (image.dataset.live && !document.hidden) loadPicture(image);
}, cameraInterval);

function drawPicture(image, { id, name, picture = '', live = false }) {
  image.alt = (live ? 'Camera of ' : 'What is printed on ') + name;
  if (image.dataset.version === picture) return;
  Object.assign(image.dataset, { version: picture, printer: id, live: live ? 'yes' : '' });
  image.hidden = true;
  if (onScreen.has(image)) loadPicture(image);
}

// loadPicture shows a picture once it has come, and none if it can't be had.
function loadPicture(image) {
  const { printer, version } = image.dataset;
  if (!version) return;
  const next = new Image();
  next.onload = () => {
    if (image.dataset.version !== version) return;
    image.src = next.src;
    image.hidden = false;
  };
  next.onerror = () => { if (image.dataset.version === version) image.hidden = true; };
  next.src = `printers/${encodeURIComponent(printer)}/picture?v=${encodeURIComponent(version)}&t=${Date.now()}`;
}

// Jobs and heaters

function drawJob(part, data) {
  const running = data.progress !== null;
  part('job').hidden = data.file === null;
  text(part('file'), running ? data.file ?? '' : 'Selected: ' + data.file);
  part('file').title = data.file ?? '';
  const bar = part('job').querySelector('progress');
  bar.hidden = !running;
  part('times').hidden = !running;
  if (!running) return;
  bar.value = data.progress;
  bar.setAttribute('aria-label', 'Progress of ' + data.name);
  text(part('percent'), data.progress.toFixed(1) + ' %');
  text(part('left'), left(data));
}

function left({ remaining, finish }) {
  const parts = [];
  if (remaining !== null) parts.push(duration(remaining) + ' left');
  if (finish !== null) parts.push('done ' + clock(new Date(finish)));
  return parts.join(' · ');
}

function duration(minutes) {
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

// clock is short, and names the day only where it is another one.
function clock(time) {
  const today = time.toDateString() === new Date().toDateString();
  return time.toLocaleString([], { hour: '2-digit', minute: '2-digit', ...(today ? {} : { weekday: 'short' }) });
}

function drawHeaters(list, heaters) {
  const known = heaters.filter((h) => h.actual !== null);
  list.hidden = known.length === 0;
  list.replaceChildren(...known.map((h) => {
    const row = document.createElement('div');
    const target = h.target ? ' → ' + h.target : '';
    row.append(element('dt', h.name), element('dd', `${h.actual.toFixed(1)}${target} °C`));
    return row;
  }));
}

function element(name, content, className = '') {
  const e = document.createElement(name);
  e.textContent = content;
  e.className = className;
  return e;
}

// The filter, which the address keeps, so that it can be a bookmark

const filter = new URLSearchParams(location.hash.slice(1));

function matches({ name, id, file, group, attention }) {
  const wanted = filter.get('show');
  if (wanted && !(wanted === 'attention' ? attention : group === wanted)) return false;
  const search = (filter.get('find') ?? '').toLowerCase();
  return [name, id, file ?? ''].some((t) => t.toLowerCase().includes(search));
}

function setFilter(key, value) {
  if (value) filter.set(key, value);
  else filter.delete(key);
  history.replaceState(null, '', filter.size ? '#' + filter : location.pathname);
  drawFarm();
}

// drawFarm counts the printers and hides those that nobody wants to see.
function drawFarm() {
  const counts = {};
  let visible = 0;
  for (const { data, element } of cards.values()) {
    counts[data.group] = (counts[data.group] ?? 0) + 1;
    if (data.attention) counts.attention = (counts.attention ?? 0) + 1;
    element.hidden = !matches(data);
    visible += !element.hidden;
  }
  drawGroup('', 'All', cards.size);
  for (const group of groups) drawGroup(group, words(group), counts[group] ?? 0);
  text(byId('nothing'), visible ? '' : cards.size ? 'No printer matches.' : 'There are no printers yet.');
  document.title = (counts.attention ? `(${counts.attention}) ` : '') + byId('farm').textContent;
}

function drawGroup(group, name, count) {
  let button = byId('groups').querySelector(`[data-group="${group}"]`);
  if (!button) {
    button = element('button', name, group || 'all');
    button.type = 'button';
    button.dataset.group = group;
    button.append(element('b', ''));
    button.addEventListener('click', () => setFilter('show', group === filter.get('show') ? '' : group));
    byId('groups').append(button);
  }
  const pressed = (filter.get('show') ?? '') === group;
  button.lastChild.textContent = count;
  button.setAttribute('aria-pressed', pressed);
  button.hidden = group !== '' && count === 0 && !pressed;
}

byId('search').value = filter.get('find') ?? '';
byId('search').addEventListener('input', (e) => setFilter('find', e.target.value.trim()));
byId('filter').addEventListener('submit', (e) => e.preventDefault());

// Events

const maxHappenings = 200;

function addHappening({ n, time, printer, text, tone }) {
  const item = element('li', '', tone ?? '');
  const at = new Date(time);
  const when = element('time', clock(at));
  when.dateTime = time;
  when.title = at.toLocaleString();
  item.append(when);
  if (printer) item.append(element('b', cards.get(printer)?.data.name ?? printer));
  item.append(text);
  setupHappened(n, printer, text, tone);
  const list = byId('happenings');
  list.prepend(item);
  while (list.childElementCount > maxHappenings) list.lastElementChild.remove();
}

// Adding a printer, and having OctoPrint asked for its key. The links to that lead
// through the login and back here, with what is to be done behind the #.

let settingUp = ''; // a printer's id
let asked = Infinity; // number of the last happening before its OctoPrint was asked
let latest = 0; // number of the last happening

function openSetup() {
  const id = filter.get('enroll');
  if (!changeable || !(id || filter.has('add')) || byId('setup').open) return;
  filter.delete('add');
  filter.delete('enroll');
  history.replaceState(null, '', location.pathname);
  byId('new').reset();
  delete byId('new').elements.id.dataset.own;
  text(byId('outcome'), '');
  if (id) wantKey(id, cards.get(id)?.data.name ?? id);
  else {
    settingUp = '';
    byId('setup-title').textContent = 'Add a printer';
    byId('new').hidden = false;
    byId('key').hidden = true;
  }
  byId('setup').showModal();
}

function wantKey(id, name) {
  settingUp = id;
  asked = Infinity;
  byId('setup-title').textContent = 'A key for ' + name;
  byId('new').hidden = true;
  byId('key').hidden = false;
  byId('ask').hidden = false;
  byId('click').hidden = true;
}

// change asks for something that the login allows, and returns the answer's data;
// nothing if it was refused, which is shown.
async function change(action, parameters) {
  text(byId('outcome'), 'One moment …');
  try {
    const r = await fetch('actions/' + action, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(parameters),
    });
    if (!r.headers.get('Content-Type')?.startsWith('application/json')) throw new Error(await r.text());
    const answer = await r.json();
    if (answer.error) throw new Error(answer.error.message);
    text(byId('outcome'), '');
    return answer.data ?? {};
  } catch (e) {
    text(byId('outcome'), capital(e.message));
  }
}

byId('new').addEventListener('submit', async (e) => {
  e.preventDefault();
  const { url, name, id } = Object.fromEntries(new FormData(e.target));
  if (await change('printer_add', { url: url.trim(), name: name.trim(), id })) wantKey(id, name);
});

// The id follows the name until somebody writes another.
byId('new').elements.name.addEventListener('input', (e) => {
  const { id } = byId('new').elements;
  if (id.dataset.own) return;
  id.value = e.target.value.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 32);
});
byId('new').elements.id.addEventListener('input', (e) => { e.target.dataset.own = e.target.value; });

byId('ask').addEventListener('click', async () => {
  byId('ask').disabled = true;
  const before = latest;
  const data = await change('printer_enroll', { id: settingUp });
  byId('ask').disabled = false;
  if (!data) return;
  asked = before;
  byId('ask').hidden = true;
  byId('click').hidden = !/^https?:/.test(data.page);
  byId('allow').href = data.page;
  byId('app').textContent = data.app;
});

// setupHappened shows in the dialog what comes of what was asked for there.
function setupHappened(n, printer, what, tone) {
  latest = Math.max(latest, n);
  if (printer !== settingUp || n <= asked || !tone) return;
  text(byId('outcome'), what);
  byId('click').hidden = true;
  byId('ask').hidden = tone !== 'bad';
}

// The stream

function take({ full, farm, printers = [], happenings = [] }) {
  if (farm) {
    byId('farm').textContent = farm.name;
    byId('version').textContent = 'octoprint2mqtt ' + farm.version;
    text(byId('broker'), farm.broker ? capital(farm.broker) : '');
    changeable = farm.changeable ?? false;
    byId('add').hidden = !changeable;
    for (const card of cards.values()) draw(card);
  }
  const list = byId('printers');
  if (full) {
    const ids = new Set(printers.map((p) => p.id));
    for (const [id, card] of cards) {
      if (ids.has(id)) continue;
      screen.unobserve(card.element);
      onScreen.delete(card.element.querySelector('.picture'));
      cards.delete(id);
    }
    list.replaceChildren(...printers.map(show));
    byId('happenings').replaceChildren();
  } else {
    printers.forEach(show);
  }
  happenings.forEach(addHappening);
  if (full || farm || printers.length) drawFarm();
  if (full) openSetup();
}

let stream;

function connected(is) {
  byId('link').textContent = is ? 'Live' : 'Not connected: what is shown may be old. Trying again…';
  byId('link').classList.toggle('live', is);
  document.body.classList.toggle('stale', !is);
}

function open() {
  stream?.close();
  stream = new EventSource('stream');
  stream.onmessage = (m) => {
    take(JSON.parse(m.data));
    connected(true);
  };
  stream.onerror = () => {
    connected(false);
    // Browsers give up where the answer is an error, such as when too many pages
    // are open.
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, 10_000);
  };
}

// A page that nobody sees needs no updates.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    stream?.close();
    stream = undefined;
  } else if (!stream) {
    open();
  }
});
if (!document.hidden) open();
