// What the peer of w3c.js needs in a browser: sound from an oscillator, a picture that changes, and elements that play.

peerMedia.source = (kind) => {
  if (kind === "audio") {
    const context = new AudioContext();
    const sound = context.createOscillator();
    const out = context.createMediaStreamDestination();
    sound.connect(out);
    sound.start();
    return { track: out.stream.getAudioTracks()[0], stop: () => context.close() };
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  document.body.append(canvas);
  const picture = canvas.getContext("2d");
  let number = 0;
  const timer = setInterval(() => {
    picture.fillStyle = `rgb(${(number++ * 7) % 255}, 99, 0)`;
    picture.fillRect(0, 0, 160, 120);
  }, 66);
  return { track: canvas.captureStream(15).getVideoTracks()[0], stop: () => clearInterval(timer) };
};

peerMedia.sink = (track) => {
  const element = Object.assign(document.createElement(track.kind), { muted: true, autoplay: true });
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
  element.play().catch(() => {}); // it plays when there is something
};
