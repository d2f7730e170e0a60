import { expect, it } from "vitest";
import type { WhoAmI } from "../api/session";
import { maySeeSite, sessionOf, standingOf, untilOver } from "./session";

const who = (authentication: "on" | "off", roles: string[] | null) =>
  ({
    authentication,
    sign_in: "/auth/sign-in",
    person: roles && { name: "Clara", subject: "oidc:1", roles },
  }) as WhoAmI;

it.each([
  ["off", ["system"], "in", true],
  ["off", null, "in", true],
  ["on", null, "out", false],
  ["on", [], "no-cases", false],
  ["on", ["ops"], "no-cases", false],
  ["on", ["system"], "in", false],
  ["on", ["clinician"], "in", true],
  ["on", ["admin", "clinician"], "in", true],
] as const)("with authentication %s, roles %j are %s", (authentication, roles, standing, site) => {
  const session = sessionOf(who(authentication, roles && [...roles]));
  expect(standingOf(session)).toBe(standing);
  expect(maySeeSite(session)).toBe(site);
});

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-28T12:00:00Z");

it.each([
  ["after idling", { idle_minutes: 30, expires: "2026-11-28T20:00:00Z" }, 0, 30 * MINUTE + 1000],
  [
    "sooner where nothing was asked",
    { idle_minutes: 30, expires: "2026-11-28T20:00:00Z" },
    29,
    MINUTE + 1000,
  ],
  ["at the end in any case", { idle_minutes: 30, expires: "2026-11-28T12:10:00Z" }, 0, 10 * MINUTE + 1000],
  [
    "not again and again where it should be over",
    { idle_minutes: 30, expires: "2026-11-28T20:00:00Z" },
    45,
    5000,
  ],
  ["within what a timer can wait", { idle_minutes: 1e9, expires: "2999-01-01T00:00:00Z" }, 0, 2 ** 31 - 1],
])("looks whether the session is over %s", (_, session, idle, wait) => {
  expect(untilOver(session, NOW - idle * MINUTE, NOW)).toBe(wait);
});
