/** page: what pages do beyond what the server wrote: times in the viewer's zone, numbers that stay new, buttons that can't be
 * pressed twice, light or dark. Every page works without it. */

const root = document.documentElement;
/** How far the viewer's clock is behind the server's, in ms. */
const behindMs = Number(root.dataset.now) - Date.now();
const now = () => Date.now() + behindMs;

/* times */
const exact = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' });
const zoneAt = (at) => zone.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

const spanOf = (milliseconds) => {
  const unit = UNITS.find(([size]) => Math.abs(milliseconds) >= size);
  return unit === undefined ? null : `${Math.floor(Math.abs(milliseconds) / unit[0])} ${unit[1]}`;
};
const relative = (at) => {
  const gone = now() - at;
  const span = spanOf(gone);
  if (span === null) return 'now';
  return gone >= 0 ? `${span} ago` : `in ${span}`;
};
const left = (at) => (at - now() < 1_000 ? 'gone' : spanOf(at - now()));
const countdown = (at) => {
  const seconds = Math.ceil((at - now()) / 1000);
  if (seconds <= 0) return 'due';
  const [hours, ...rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const shown = hours > 0 ? [hours, ...rest] : rest;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
};
const clock = (at) => exact.format(at).slice(11);
const moment = (at) => exact.format(at);
const SAYS = { relative, countdown, clock, moment, left };

const sayTime = (time) => {
  const at = Date.parse(time.dateTime);
  const text = (SAYS[time.dataset.as] ?? relative)(at);
  if (time.textContent !== text) time.textContent = text;
};
const localize = (part) => {
  for (const time of part.querySelectorAll('time[data-as]')) {
    const at = Date.parse(time.dateTime);
    time.dataset.exact = `${exact.format(at)} ${zoneAt(at)}`;
    sayTime(time);
  }
};
localize(document);
setInterval(() => {
  for (const time of document.querySelectorAll('time[data-as]')) sayTime(time);
}, 1_000);

/* buttons */
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = 'yes';
  for (const button of form.querySelectorAll('button')) {
    button.setAttribute('aria-disabled', 'true');
    button.textContent = button.dataset.doing ?? button.textContent;
  }
});
// Who comes back by the browser's button finds the page as it was left.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});

/* light or dark */
const button = document.querySelector('[data-theme-switch]');
if (button !== null) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const name = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'}`);
  };
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    // biome-ignore lint/suspicious/noDocumentCookie: the store of cookies is not there over plain http.
    document.cookie = `stalesweep-theme=${root.dataset.theme}; Path=${root.dataset.base || '/'}; Max-Age=31536000; SameSite=Strict`;
    name();
  });
  system.addEventListener('change', name);
  name();
  button.hidden = false;
}

/* numbers that stay new: the server sends parts of the page, each in the place of the one with its id */
const FOCUSABLE = 'a, button, summary, input, select, [tabindex]';

/** Puts a part in the place of an older one; what is open stays open, and focus stays where it was. */
const put = ({ id, html }) => {
  const old = document.getElementById(id);
  if (old === null) return;
  const made = document.createElement('template');
  made.innerHTML = html;
  const fresh = made.content.firstElementChild;
  if (fresh === null) return;
  for (const details of old.querySelectorAll('details[id][open]')) {
    const same = made.content.getElementById(details.id);
    if (same !== null) same.open = true;
  }
  const focused = [...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  localize(made.content);
  old.replaceWith(fresh);
  const { title, icon } = fresh.dataset;
  if (title !== undefined) document.title = title;
  const sign = document.querySelector('link[rel=icon]');
  if (icon !== undefined && sign !== null && sign.getAttribute('href') !== icon) sign.href = icon;
  if (focused >= 0) fresh.querySelectorAll(FOCUSABLE)[focused]?.focus({ preventScroll: true });
};

const LOST_AFTER_MS = 4_000;
const AGAIN_AFTER_MS = 5_000;

/** Listens to the page's events; while they do not come, what is shown is greyed, with the time that it is of. */
const listen = (live) => {
  const notice = document.getElementById('connection');
  let lost;
  /** What can't be asked for now is not offered; what the server switched off stays so. */
  const offer = (isOn) => {
    const buttons = live.querySelectorAll(isOn ? 'button[data-late]' : 'form[method=post] button:enabled');
    for (const button of buttons) {
      button.disabled = !isOn;
      button.toggleAttribute('data-late', !isOn);
    }
  };
  const late = () => {
    live.classList.add('late');
    offer(false);
    if (notice !== null) notice.hidden = false;
  };
  const connect = () => {
    const events = new EventSource(live.dataset.live);
    const fine = () => {
      clearTimeout(lost);
      lost = undefined;
      live.classList.remove('late');
      offer(true);
      if (notice !== null) notice.hidden = true;
    };
    events.addEventListener('part', ({ data }) => put(JSON.parse(data)));
    // After each look, whether anything has changed or not.
    events.addEventListener('beat', ({ data }) => {
      fine();
      const heard = notice?.querySelector('time');
      if (heard) heard.dateTime = data;
    });
    events.addEventListener('error', () => {
      lost ??= setTimeout(late, LOST_AFTER_MS);
      // It tries again by itself, unless the server answered that it must not.
      if (events.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_AFTER_MS);
    });
  };
  connect();
};
const live = document.querySelector('[data-live]');
if (live !== null) listen(live);

/* numbers that take a while to count: asked for once the page is there, and again where no answer came */
const MOST_TRIES = 3;
const fill = (part, nth) =>
  fetch(part.dataset.fill)
    .then(async (answer) => put(await answer.json()))
    .catch(() => {
      if (nth < MOST_TRIES) {
        setTimeout(fill, AGAIN_AFTER_MS, part, nth + 1);
        return;
      }
      part.querySelector('[data-filling]').hidden = true;
      part.querySelector('[data-unfilled]').hidden = false;
    });
for (const part of document.querySelectorAll('[data-fill]')) void fill(part, 1);
