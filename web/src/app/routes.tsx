import { lazy, type ReactNode } from "react";
import { texts } from "../texts/en";
import type { Route } from "./router";

const NewCaseView = lazy(() => import("../new-case/NewCaseView"));
const WorklistView = lazy(() => import("../worklist/WorklistView"));
const ResultView = lazy(() => import("../result/ResultView"));
const ReportView = lazy(() => import("../report/ReportView"));
const CompareView = lazy(() => import("../compare/CompareView"));

/** The view of a route. Each is a chunk of its own; a new `key` makes another case start from nothing. */
export function viewOf(route: Route): ReactNode {
  switch (route.view) {
    case "sign-in": // whoever is signed in already has no more to do there
    case "new":
      return <NewCaseView />;
    case "worklist":
      return <WorklistView key={route.selected} route={route} />;
    case "case":
      return <ResultView key={route.id} id={route.id} />;
    case "report":
      return <ReportView key={route.id} id={route.id} />;
    case "compare":
      return <CompareView key={`${route.left}/${route.right}`} left={route.left} right={route.right} />;
    case "unknown":
      return <h1>{texts.shell.unknownAddress}</h1>;
  }
}
