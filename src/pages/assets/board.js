/** board: what pages of Bull Board say beyond it: that the queue does not answer any more, and that what they show is old. They ask
 * again every few seconds, and show nothing of an answer that did not come; nor is anything offered meanwhile that can't be done. */

const { home } = document.currentScript.dataset;
const DATA = /\/queues\/api\//;
const AWAY = 503;

/** The bar over the page while the queue is away. */
const bar = document.createElement('div');
bar.id = 'stalesweep-away';
bar.setAttribute('role', 'alert');

const tell = (isAway) => {
  const board = document.getElementById('root');
  if (board === null || board.inert === isAway) return;
  board.inert = isAway;
  if (!isAway) {
    bar.remove();
    return;
  }
  const word = document.createElement('strong');
  word.textContent = 'Out of reach';
  const way = document.createElement('a');
  way.href = home;
  way.textContent = 'The overview, as last known';
  bar.replaceChildren(word, ' The queue does not answer. What stands here is the last that was known. ', way);
  document.body.append(bar);
};

new PerformanceObserver((list) => {
  for (const { name, responseStatus } of list.getEntries()) {
    if (DATA.test(name) && responseStatus > 0) tell(responseStatus === AWAY);
  }
}).observe({ type: 'resource' });
