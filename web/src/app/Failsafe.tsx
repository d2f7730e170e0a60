import { Component, type ReactNode } from "react";
import { texts } from "../texts/en";

/** Says that a view failed, where React would leave an empty page. */
export class Failsafe extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div role="alert" className="pad">
        <h1>{texts.shell.failed}</h1>
        <button type="button" onClick={() => window.location.reload()}>
          {texts.shell.reload}
        </button>
      </div>
    );
  }
}
