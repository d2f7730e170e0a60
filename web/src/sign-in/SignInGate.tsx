import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react";
import { ServiceError } from "../api/problem";
import type { WhoAmI } from "../api/session";
import { ProblemNotice } from "../app/ProblemNotice";
import { goTo, type Route } from "../app/router";
import { texts } from "../texts/en";
import { keepPlace, placeKept, SessionContext, sessionOf, standingOf } from "./session";
import { useWhoAmI } from "./useWhoAmI";
import "./sign-in.css";

const t = texts.session;

type Props = { route: Route; bar: ReactNode; children: ReactNode };

/**
 * Shows the views to whoever may see patients' cases. Whoever was signed out in the middle of something finds it as it
 * was after signing in again; until then it is out of sight.
 */
export function SignInGate({ route, bar, children }: Props) {
  const { who, error, look } = useWhoAmI();
  if (who !== null) {
    return (
      <Door who={who} route={route} bar={bar}>
        {children}
      </Door>
    );
  }
  return (
    <main className="sign-in">
      {error === null ? (
        <p className="quiet">{texts.shell.loading}</p>
      ) : (
        <ProblemNotice error={error} onRetry={look} />
      )}
    </main>
  );
}

function Door({ who, route, bar, children }: Props & { who: WhoAmI }) {
  const session = sessionOf(who);
  const standing = standingOf(session);
  const began = useRef(false);
  began.current ||= standing === "in";
  useReturn(standing !== "out", route);
  return (
    <SessionContext value={session}>
      {standing !== "out" && bar}
      {standing === "out" && <Out who={who} route={route} began={began.current} />}
      {standing === "no-cases" && <NoCases roles={session.person?.roles ?? []} />}
      {began.current && (
        <div className="gate" hidden={standing !== "in"}>
          {children}
        </div>
      )}
    </SessionContext>
  );
}

function Out({ who, route, began }: { who: WhoAmI; route: Route; began: boolean }) {
  return (
    <>
      <p className="banner" role="note">
        <strong>{texts.banner.what}</strong> {texts.banner.general}
      </p>
      {began ? <SignInAgain who={who} /> : <SignIn who={who} route={route} />}
    </>
  );
}

/** Whoever comes back from signing in finds the view that they left. */
function useReturn(isIn: boolean, route: Route) {
  useEffect(() => {
    if (!isIn) return;
    const place = placeKept();
    if (place !== null) window.location.hash = place;
    else if (route.view === "sign-in") goTo({ view: "new" });
  }, [isIn, route.view]);
}

function SignIn({ who, route }: { who: WhoAmI; route: Route }) {
  const problem = route.view === "sign-in" ? new ServiceError(route.problem, 0) : null;
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <h1>{texts.shell.name}</h1>
        {problem && <ProblemNotice error={problem} />}
        <p>{who.sign_in ? t.welcome : t.closed}</p>
        {who.sign_in && (
          <>
            {/* A link, since it leads to another site. */}
            <a
              className="button sign-in-go"
              href={who.sign_in}
              rel="noreferrer"
              onClick={() => keepPlace(window.location.hash)}
            >
              {t.signIn}
            </a>
            <p className="quiet small">{t.leads}</p>
          </>
        )}
      </div>
    </main>
  );
}

/** Above everything, other dialogs too; not to be closed, but by signing in again, in a tab of its own. */
function SignInAgain({ who }: { who: WhoAmI }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="modal"
      aria-labelledby="signed-out"
      onKeyDown={(event) => event.key === "Escape" && event.preventDefault()}
      onCancel={(event) => event.preventDefault()}
      // A gesture of the device may close it all the same.
      onClose={(event) => event.currentTarget.isConnected && event.currentTarget.showModal()}
    >
      <h2 id="signed-out">{t.over}</h2>
      <p>{t.whyOver}</p>
      {who.sign_in && (
        <a className="button sign-in-go" href={who.sign_in} target="_blank" rel="noreferrer">
          {t.signInAgain}
        </a>
      )}
      <p className="quiet small">{t.otherTab}</p>
    </dialog>
  );
}

function NoCases({ roles }: { roles: readonly string[] }) {
  const names = roles.map((role) => t.roles[role] ?? role).join(", ");
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <h1>{t.noCases.title}</h1>
        <p>{names ? t.noCases.roles(names) : t.noCases.none}</p>
        <p>{t.noCases.remedy}</p>
      </div>
    </main>
  );
}
