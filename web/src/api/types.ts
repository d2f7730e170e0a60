import type { components } from "./schema";

type Schemas = components["schemas"];

export type Answer = Schemas["Answer"];
export type Outcome = Schemas["Outcome"];
export type RecordUsed = Schemas["RecordUsed"];
export type ImageUsed = Schemas["ImageUsed"];
export type SeriesSeen = Schemas["SeriesSeen"];
export type Finding = Schemas["ImageFinding"];
export type Caution = Schemas["Caution"];
export type ModelSummary = Schemas["ModelSummary"];
export type ModelDetail = Schemas["ModelDetail"];

/** A record as the service takes it: features that are not known are absent. */
export type Quantity = { value: number; unit: string };
export type RecordValue = number | string | boolean | null | Quantity;
export type PatientRecord = Record<string, RecordValue>;

export type Contribution = Schemas["Contribution"];
export type Upload = Schemas["Preview"];
export type WhatIf = Schemas["WhatIf"];
export type CurvePoint = Schemas["CurvePoint"];
export type Curve = Schemas["Curve"];
export type Feedback = Schemas["KeptFeedback"];
export type GivenFeedback = Schemas["GivenFeedback"];
export type WorklistItem = Schemas["ListedCase"];
export type Worklist = Schemas["CaseListPage"];
