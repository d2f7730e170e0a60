import { useState } from "react";
import { signOut } from "../api/session";
import { leaveUnasked } from "../app/leaving";
import { Modal } from "../app/Modal";
import { ProblemNotice } from "../app/ProblemNotice";
import { texts } from "../texts/en";
import { useSession } from "./session";
import { tellOtherTabs } from "./useWhoAmI";

const t = texts.session;

/** Who is signed in, and the way out; nothing where the service asks nobody. */
export function PersonMenu() {
  const { person, asks } = useSession();
  const [leaving, setLeaving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  if (!asks || person === null) return null;
  const leave = async () => {
    setLeaving(true);
    setError(null);
    try {
      const next = await signOut();
      tellOtherTabs();
      // Through the provider, so that the next person at this machine is asked who they are.
      leaveUnasked(() => window.location.replace(next ?? "/"));
    } catch (problem) {
      // Whoever walks away now leaves the session to the next person.
      setError(problem);
      setLeaving(false);
    }
  };
  const roles = person.roles.map((role) => t.roles[role] ?? role).join(", ");
  return (
    <section className="person" aria-label={t.person(person.name)}>
      <span className="person-name">{person.name}</span>
      <span className="quiet small">{roles || t.noRole}</span>
      <button type="button" className="plain" onClick={leave} disabled={leaving}>
        {t.signOut}
      </button>
      {error !== null && (
        <Modal title={t.stillIn} onClose={() => setError(null)}>
          <ProblemNotice error={error} onRetry={leave} />
          <div className="modal-actions">
            <button type="button" onClick={() => setError(null)}>
              {t.staySignedIn}
            </button>
          </div>
        </Modal>
      )}
    </section>
  );
}
