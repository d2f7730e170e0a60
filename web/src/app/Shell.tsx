import { Suspense, useEffect, useRef } from "react";
import { PersonMenu } from "../sign-in/PersonMenu";
import { SignInGate } from "../sign-in/SignInGate";
import { mayCare, useSession } from "../sign-in/session";
import { texts } from "../texts/en";
import { nameOf } from "../worklist/name";
import { Banner } from "./Banner";
import { Failsafe } from "./Failsafe";
import { usePrintFoot } from "./print-foot";
import { hrefOf, parseHash, placeOf, type Route, useHash } from "./router";
import { viewOf } from "./routes";
import "./shell.css";
import { useNoStrayDrops } from "./stray-drops";
import { setTheme, useTheme } from "./theme";
import { titleOf } from "./title";
import { UnansweredNotices } from "./UnansweredNotices";

/** What surrounds every view: the bar, the banner that cannot be missed, and the place of the view. */
export function Shell() {
  const hash = useHash();
  const route = parseHash(hash);
  const place = placeOf(hash);
  const main = useRef<HTMLElement>(null);
  useAnnouncedView(route, place, main);
  useNoStrayDrops();
  usePrintFoot(footOf(route));
  return (
    <div className="shell" data-view={route.view}>
      <button type="button" className="skip-link" onClick={() => main.current?.focus()}>
        {texts.shell.skip}
      </button>
      <SignInGate route={route} bar={<Bar route={route} />}>
        <Banner view={route.view} />
        <UnansweredNotices />
        <main id="view" ref={main} tabIndex={-1}>
          <Failsafe key={place}>
            <Suspense fallback={<p className="quiet pad">{texts.shell.loading}</p>}>{viewOf(route)}</Suspense>
          </Failsafe>
        </main>
      </SignInGate>
    </div>
  );
}

/** Until a view has its cases, and can say what people call them. */
function footOf(route: Route): string {
  const { foot, footOfTwo } = texts.shell;
  if (route.view === "compare") return footOfTwo(nameOf({ id: route.left }), nameOf({ id: route.right }));
  return foot("id" in route ? route.id : "");
}

function Bar({ route }: { route: Route }) {
  return (
    <header className="bar">
      <a className="bar-name" href={hrefOf({ view: "new" })}>
        {texts.shell.name}
      </a>
      {mayCare(useSession()) && <Navigation route={route} />}
      <span className="bar-end">
        <PersonMenu />
        <ThemeSwitch />
      </span>
    </header>
  );
}

/** Title and focus follow the view, so that a screen reader hears the change. */
function useAnnouncedView(route: Route, place: string, main: React.RefObject<HTMLElement | null>) {
  const first = useRef(place);
  useEffect(() => {
    document.title = titleOf(route.view); // with the case once it is here
    if (first.current !== place) main.current?.focus({ preventScroll: true });
    first.current = "";
  }, [route.view, place, main]);
}

function Navigation({ route }: { route: Route }) {
  return (
    <nav aria-label={texts.shell.navigation}>
      {(["new", "worklist"] as const).map((view) => (
        <a key={view} href={hrefOf({ view })} aria-current={route.view === view ? "page" : undefined}>
          {texts.shell.titles[view]}
        </a>
      ))}
    </nav>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <button type="button" className="plain" onClick={() => setTheme(other)}>
      {texts.shell.themes[other]}
    </button>
  );
}
