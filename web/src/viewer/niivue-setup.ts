import { DRAG_MODE, Niivue, SHOW_RENDER } from "@niivue/niivue";

const CROSSHAIR: [number, number, number, number] = [0.55, 0.8, 0.95, 0.8];
const LETTER_PIXELS = 14;
const LETTERS: [number, number, number, number] = [0.82, 0.86, 0.9, 1];

/**
 * NiiVue with the page's choices; nothing is attached or drawn yet.
 *
 * @param zoom called as two fingers go apart or together, with the share of the distance before
 */
export function newNiivue(zoom: (factor: number) => void): Niivue {
  const nv = new Niivue({
    isRadiologicalConvention: true,
    sagittalNoseLeft: true,
    showAllOrientationMarkers: true,
    isOrientCube: true,
    multiplanarShowRender: SHOW_RENDER.NEVER,
    crosshairColor: CROSSHAIR,
    crosshairWidth: 0.5,
    crosshairWidthUnit: "percent",
    fontColor: LETTERS,
    fontMinPx: LETTER_PIXELS,
    backColor: [0, 0, 0, 1],
    dragAndDropEnabled: false,
    // Two strokes of a finger in short succession are two: NiiVue 0.69 has the second one choose another window.
    doubleTouchTimeout: 0,
    loadingText: "",
    logLevel: "error",
  });
  nv.setMouseEventConfig({
    leftButton: { primary: DRAG_MODE.crosshair, withShift: DRAG_MODE.pan, withCtrl: DRAG_MODE.windowing },
    rightButton: DRAG_MODE.windowing,
    centerButton: DRAG_MODE.pan,
  });
  keepLettersInside(nv);
  tellOfDraggedWindows(nv);
  zoomWithTwoFingers(nv, zoom);
  // Of itself NiiVue gives an image that is clicked twice, or pressed long, another window than the one chosen.
  nv.resetBriCon = () => {};
  // NiiVue's own keys would act beside the page's.
  nv.keyDownListener = () => {};
  nv.keyUpListener = () => {};
  return nv;
}

/** Has the letters of orientation stand within a plane: NiiVue 0.69 sets them on its rim, where the lower and the right one are cut off. */
function keepLettersInside(nv: Niivue): void {
  const draw = nv.drawSliceOrientationText.bind(nv);
  nv.drawSliceOrientationText = ([left = 0, top = 0, width = 0, height = 0], ...more) => {
    const inset = (LETTER_PIXELS / 2) * devicePixelRatio;
    draw([left + inset, top + inset, width - 2 * inset, height - 2 * inset], ...more);
  };
}

/** Has NiiVue 0.69 tell of a window that is being dragged, as of every other: what is said of the picture is to be true. */
function tellOfDraggedWindows(nv: Niivue): void {
  const drag = nv.windowingHandler.bind(nv);
  nv.windowingHandler = (...place) => {
    drag(...place);
    const [base] = nv.volumes;
    if (base) nv.onIntensityChange(base);
  };
}

/**
 * Has two fingers on the image zoom, as they do everywhere: in NiiVue 0.69 each of their moves goes one slice on. A finger that comes a
 * moment before the other moves the crosshair to it, and the zoom is about that place.
 */
function zoomWithTwoFingers(nv: Niivue, zoom: (factor: number) => void): void {
  nv.handlePinchZoom = ({ targetTouches: [one, other] }) => {
    if (!one || !other) return;
    const before = nv.uiData.lastTwoTouchDistance; // 0 until they have moved
    nv.uiData.lastTwoTouchDistance = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    if (before > 0) zoom(nv.uiData.lastTwoTouchDistance / before);
  };
}

const NOTHING_IS_DRAWN = "#version 300 es\nvoid main() { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); }";
const NO_COLOUR =
  "#version 300 es\nprecision lowp float;\nout vec4 colour;\nvoid main() { colour = vec4(0.0); }";

/**
 * Leaves out the gradients that NiiVue 0.69 computes of every voxel whenever an image is set or its window changes: two
 * passes of many samples, for a lighting that this page does not use. Without a GPU they are most of the time to draw.
 */
export function leaveOutGradients(nv: Niivue): void {
  const program = emptyProgram(nv.gl);
  const uniforms = {};
  const nothing = { program, uniforms, use: (gl: WebGL2RenderingContext) => gl.useProgram(program) };
  nv.blurShader = nothing;
  nv.sobelFirstOrderShader = nothing;
}

function emptyProgram(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, NOTHING_IS_DRAWN],
    [gl.FRAGMENT_SHADER, NO_COLOUR],
  ] as const) {
    const shader = gl.createShader(type);
    if (shader === null) throw new Error("The graphics context was lost.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}
