// The live check: this browser connects to the relay that served the page,
// writes a soul of its own, reads it back, and shares one key with other tabs.
(function () {
  'use strict';

  var socketUrl = location.protocol.replace('http', 'ws') + '//' + location.host + '/gun';

  function show(id, text, state) {
    var place = document.getElementById(id);
    place.textContent = text;
    place.className = state || '';
  }

  function text(snippet) {
    document.getElementById('snippet').textContent = snippet;
  }

  text('<script src="' + location.origin + '/gun.js"></' + 'script>\n<script>\n' +
       "  const gun = Gun({ peers: ['" + location.origin + "/gun'] })\n" +
       "  gun.get('hello').get('world').on(value => console.log(value))\n" +
       "  gun.get('hello').get('world').put('hi')\n</" + 'script>');

  function health() {
    fetch('/health').then(function (answer) {
      show('health', answer.ok ? 'writes are possible' : 'writes are refused now',
           answer.ok ? 'good' : 'bad');
    }, function () { show('health', 'unreachable', 'bad'); });
  }
  health();
  setInterval(health, 10000);

  var modes = {
    open: 'Anybody may write here; user spaces only by their owners, content hashes only with their content.',
    signed: 'Only signed data and content hashes may be written here.',
    closed: 'Only keys that the operator allows may write here.'
  };
  var mode = fetch('/status').then(function (answer) { return answer.json(); })
    .then(function (status) {
      document.getElementById('mode').textContent = modes[status.write_mode] || '';
      return status.write_mode;
    });

  if (!window.Gun) {
    show('connected', 'this relay has no /gun.js; see its log', 'bad');
    return;
  }

  var me = Math.random().toString(36).slice(2, 10);
  // Nothing of the check stays in this browser: what is read comes from the relay.
  var gun = Gun({ peers: [location.origin + '/gun'], localStorage: false, radisk: false });
  var began = performance.now();

  function since(start) { return Math.round(performance.now() - start) + ' ms'; }

  function isOpen() {
    var peers = gun._.opt.peers;
    return Object.keys(peers).some(function (url) {
      return peers[url].wire && peers[url].wire.readyState === 1;
    });
  }

  var checked = false;
  gun.on('hi', function (peer) {
    this.to.next(peer);
    show('connected', socketUrl + ', ' + since(began), 'good');
    // Only now, so that the time shown is the write's and not the connection's.
    if (!checked) setTimeout(check, 100);
    checked = true;
  });
  gun.on('bye', function (peer) {
    this.to.next(peer);
    show('connected', 'lost, trying again', 'bad');
  });

  // A gun.js client tries once to come back, then never: this asks it to.
  setInterval(function () {
    if (isOpen()) return;
    began = performance.now();
    gun.opt({ peers: [location.origin + '/gun'] });
    gun.get('live-check').get('shared').once(function () {});
  }, 5000);

  // A few keys for everybody, so that visits do not fill the store.
  var key = 'k' + Math.floor(Math.random() * 64);

  // What the check writes is not signed: only where that may be is it tried.
  function check() {
    mode.then(function (name) {
      if (name === 'open') return writeAndRead();
      show('acked', 'not tried, this relay is ' + name);
      show('read', 'not tried');
      document.getElementById('shared').disabled = true;
    }, writeAndRead);
  }

  function writeAndRead() {
    var value = me + ' ' + Date.now();
    var start = performance.now();
    gun.get('live-check').get(key).put(value, function (ack) {
      if (ack.err) show('acked', 'refused: ' + ack.err, 'bad');
      else show('acked', 'on disk after ' + since(start), 'good');
      readBack(value);
    });
  }

  // Another client, so that the answer comes from the relay and not from memory.
  function readBack(value) {
    var start = performance.now();
    var wire = new WebSocket(socketUrl);
    wire.onopen = function () {
      wire.send(JSON.stringify({ '#': 'q' + me, get: { '#': 'live-check', '.': key } }));
    };
    wire.onmessage = function (event) {
      [].concat(JSON.parse(event.data)).forEach(function (message) {
        if (message['@'] !== 'q' + me) return;
        var node = (message.put || {})['live-check'] || {};
        if (node[key] === value) show('read', 'by a second connection after ' + since(start), 'good');
        else show('read', 'another value came back', 'bad');
        wire.close();
      });
    };
    wire.onerror = function () { show('read', 'the second connection failed', 'bad'); };
  }

  var input = document.getElementById('shared');
  gun.get('live-check').get('shared').on(function (value) {
    if (typeof value === 'string' && value !== input.value) input.value = value;
  });
  input.addEventListener('input', function () {
    gun.get('live-check').get('shared').put(input.value);
  });

  var seen = {};
  gun.get('/live/check').map().on(function (at, who) {
    if (typeof at === 'number') seen[who] = at;
    var now = Date.now();
    var count = Object.keys(seen).filter(function (one) { return now - seen[one] < 15000; }).length;
    document.getElementById('pages').textContent =
      count === 1 ? 'one page is here' : count + ' pages are here';
  });
  function present() {
    mode.then(function (name) { if (name !== 'closed') say(); }, say);
  }
  function say() { gun.get('/live/check').get(me).put(Date.now()); }
  present();
  setInterval(present, 5000);
})();
