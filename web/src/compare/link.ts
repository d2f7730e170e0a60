import type { Place } from "../viewer/nifti";
import type { Viewer } from "../viewer/viewer";

/** Nearer than this is the same place: a crosshair that was moved here need not be moved again. */
const SAME_MM = 0.01;

/** Lets the crosshairs of two viewers go together, by the scanner's millimetres; gives back how to part them. */
export function link(left: Viewer, right: Viewer): () => void {
  const partLeft = follow(left, right);
  const partRight = follow(right, left);
  return () => {
    partLeft();
    partRight();
  };
}

/** A move that was itself an echo is not answered, though a viewer may round the place that it is given. */
function follow(leader: Viewer, follower: Viewer): () => void {
  let last: Place | null = null;
  return leader.onMove(({ place }) => {
    if (echoes.has(leader) || (last !== null && isSame(last, place))) return;
    last = place;
    echoes.add(follower);
    follower.moveTo(place);
    echoes.delete(follower);
  });
}

/** Viewers that are being moved by another one at this moment. */
const echoes = new WeakSet<Viewer>();

function isSame(a: Place, b: Place): boolean {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) < SAME_MM;
}
