// Sounds made on the spot: no file is loaded. "ring" goes on until it is told to stop; a browser that forbids sound is said.
"use strict";

const sound = (() => {
  const PAUSE = 5000;
  const MUTE = 3 * 60000;
  let context = null;
  let ringing = false;
  let mutedUntil = 0;
  let last = 0;

  function open() {
    if (!context && window.AudioContext) {
      context = new AudioContext();
      context.addEventListener("statechange", show);
    }
    return context;
  }

  function tone(at, frequency, length, volume) {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.type = "square";
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(volume, at + 0.02);
    gain.gain.setValueAtTime(volume, at + length - 0.03);
    gain.gain.linearRampToValueAtTime(0, at + length);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + length);
  }

  function play(notes, volume = 0.25) {
    if (!open() || context.state !== "running") return false;
    notes.forEach((frequency, place) => tone(context.currentTime + place * 0.28, frequency, 0.24, volume));
    return true;
  }

  function allowed() { return Boolean(open()) && context.state === "running"; }

  function state() {
    if (!allowed()) return "blocked";
    if (!ringing) return "quiet";
    return performance.now() < mutedUntil ? "muted" : "ringing";
  }

  function show() {
    const now = state();
    if (document.body.dataset.sound !== now) document.body.dataset.sound = now;
    document.getElementById("blocked").hidden = now !== "blocked";
    const mute = document.getElementById("mute");
    mute.hidden = !(ringing && now !== "blocked");
    const left = Math.ceil((mutedUntil - performance.now()) / 1000);
    const word = now === "muted" ? `静音中，剩 ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}（点此恢复）` : "静音 3 分钟";
    if (mute.textContent !== word) mute.textContent = word;
  }

  // Called every second: rings when it is time, and notices when the browser lets sound through.
  function tick() {
    show();
    if (state() === "ringing" && performance.now() - last >= PAUSE && play([880, 660, 880, 660])) last = performance.now();
  }

  return {
    tick,
    ring(wanted) { if (wanted !== ringing) { ringing = wanted; last = -PAUSE; } tick(); },
    unmute() { mutedUntil = 0; tick(); },
    mute() { mutedUntil = performance.now() < mutedUntil ? 0 : performance.now() + MUTE; tick(); },
    allow() { if (open()) context.resume().then(show, show); show(); },
    test() { this.allow(); if (context) context.resume().then(() => play([880, 660]), show); },
    lost() { play([330, 262, 196], 0.2); },
    news() { if (!ringing) play([660], 0.15); },
  };
})();
