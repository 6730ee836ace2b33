// A camera's controls for the page, without a camera: a list as a real driver gives it (that of the lab's camera, and three as uvcvideo names
// them), which answers as docs/api.md says. Runs in the page, before its own scripts; the lab's scenarios `panel` and `kept` see the real ones.
function answerForControls() {
  const control = (name, kind, minimum, maximum, value, more) => ({
    name, short_name: null, kind, minimum, maximum, step: 1, default: value, value, read_only: false, inactive: false, grabbed: false,
    menu: [], ...more,
  });
  const controls = [
    control("brightness", "integer", 0, 255, 128, { configured: 140, value: 140 }),
    control("contrast", "integer", 0, 255, 32),
    control("saturation", "integer", 0, 255, 64),
    control("hue", "integer", -180, 180, 0),
    control("white_balance_automatic", "boolean", 0, 1, 1),
    control("auto_exposure", "menu", 0, 3, 3, { menu: [{ index: 1, name: "Manual Mode" }, { index: 3, name: "Aperture Priority Mode" }] }),
    control("exposure_time_absolute", "integer", 3, 2047, 250, { inactive: true }),
    control("sharpness", "integer", 0, 255, 24),
  ];
  const find = (name) => controls.find((each) => each.name === name);
  const post = ({ controls: wanted = {}, keep }) => {
    if (wanted.sharpness > 24) return "sharpness: the camera does not take it";
    for (const [name, value] of Object.entries(wanted)) {
      const one = find(name);
      one.value = value;
      if (keep) one.kept = one.menu.find(({ index }) => index === value)?.name ?? (one.kind === "boolean" ? Boolean(value) : value);
    }
    if (keep === false) for (const one of controls.filter(({ kept }) => kept !== undefined)) Object.assign(one, { kept: undefined, value: one.configured ?? one.default });
    find("exposure_time_absolute").inactive = find("auto_exposure").value !== 1;
    return null;
  };
  const real = window.fetch.bind(window);
  window.asked = [];
  window.fetch = async (address, options = {}) => {
    if (String(address) === "api/status") {
      const answer = await real(address, options);
      const status = await answer.json();
      for (const camera of status.cameras) camera.controls = true;
      return Response.json(status);
    }
    if (!/^api\/cameras\/[^/]+\/controls$/.test(address)) return real(address, options);
    let error = null;
    if (options.method === "POST") {
      if (options.headers["Content-Type"] !== "application/json") throw new Error("not JSON");
      window.asked.push(JSON.parse(options.body));
      error = post(JSON.parse(options.body));
    }
    const answer = error ? { error } : { camera: "demo", settable: true, controls, notes: [] };
    return new Response(JSON.stringify(answer), { status: error ? 409 : 200 });
  };
}

export const PANEL = `(${answerForControls})();`;
