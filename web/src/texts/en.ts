/** A case number that leaves room for others in one line of a sheet; of long ones the beginnings agree, and the ends differ. */
const shortened = (name: string) => (name.length > 24 ? `${name.slice(0, 11)}…${name.slice(-12)}` : name);

/** Every text of the page, one object per view. Another language is another file of the same type, `Texts`. */
export const texts = {
  shell: {
    name: "NeuroFuse",
    skip: "Skip to the view",
    navigation: "Views",
    loading: "Loading …",
    failed:
      "This view failed. The service may have been updated since the page was opened, or was out of reach. Your predictions are kept by the service.",
    reload: "Load the page again",
    /** Below every printed page. */
    foot: (id: string, reference: string | null = null) => {
      if (!id) return "Not for clinical use.";
      if (!reference) return `Not for clinical use. Prediction ${id}`;
      return `Not for clinical use. Case ${shortened(reference)}, prediction ${id}`;
    },
    /** The same where two cases stand side by side, by what people call them. */
    footOfTwo: (left: string, right: string) =>
      `Not for clinical use. First case ${shortened(left)}, second case ${shortened(right)}`,
    unknownAddress: "There is no view at this address.",
    titles: {
      new: "New case",
      case: "Result",
      worklist: "Worklist",
      compare: "Compare",
      report: "Report",
      "sign-in": "Sign in",
      unknown: "Unknown address",
    },
    themes: { dark: "Dark theme", light: "Light theme" },
  },
  banner: {
    what: "Not for clinical use.",
    /** While nothing is known of the models, or the service does not answer. */
    general: "A model's answer is for research. It is no basis for a decision about a patient.",
    usesOf: (packages: string, use: string) => `${packages}: ${use}`,
  },
  session: {
    signIn: "Sign in",
    signOut: "Sign out",
    stillIn: "You are still signed in",
    staySignedIn: "Stay signed in",
    welcome: "Sign in with the account that your organisation gave you.",
    leads: "You are led to your organisation's sign-in and back. This page never sees your password.",
    closed:
      "This service lets in software only: its operator has set up no sign-in for people. Ask the operator, who finds it under “Who may come in”.",
    over: "You have been signed out",
    whyOver:
      "Here or in another tab, or because nothing was done for a while. What you entered is still here, out of sight, until you sign in again.",
    signInAgain: "Sign in again",
    otherTab: "The sign-in opens in a tab of its own; come back to this one afterwards.",
    person: (name: string) => `Signed in as ${name}`,
    roles: { clinician: "Clinician", system: "System", ops: "Operations", admin: "Administrator" } as Record<
      string,
      string
    >,
    noRole: "No role here",
    noCases: {
      title: "This page is for people who care for patients",
      roles: (roles: string) => `Your account has the role ${roles}, which shows no patient's cases.`,
      none: "Your account has no role in this service.",
      remedy:
        "If it should, ask whoever gives out accounts for the role Clinician; then sign out and in again.",
    },
  },
  problems: {
    detail: "The service says:",
    request: "Request",
    retry: "Try again",
    retryIn: (seconds: number) => `Try again in ${seconds} s`,
    fields: "Fields of the record",
    unknown: {
      title: "The request failed.",
      remedy: "Try again. If it fails again, note the request number for the operator.",
    },
    /** By code: every one the service publishes at GET /problems, and the page's own. */
    byCode: {
      "malformed-request": {
        title: "The service did not understand the request.",
        remedy:
          "Load the page again: it may be older than the service. On a slow line, send the series as one zip.",
      },
      "upload-too-large": {
        title: "The upload is too large.",
        remedy: "Send only the series you mean, not the whole study, or send it as one zip.",
      },
      "archive-too-large": {
        title: "The archive holds more than is allowed.",
        remedy: "Make an archive of the one series you mean.",
      },
      "unsupported-file": {
        title: "This is not an image the service reads.",
        remedy: "Send DICOM files, a zip of them, or one NIfTI file (.nii or .nii.gz).",
      },
      "unsupported-encoding": {
        title: "Something on the way to the service packed what was sent.",
        remedy:
          "Ask the operator: a proxy in between may compress requests, which the service does not read.",
      },
      "corrupt-image": {
        title: "The image is damaged.",
        remedy: "Export the series again from the archive (PACS); a transfer may have broken off.",
      },
      "no-usable-series": {
        title: "No series here can be used for this question.",
        remedy: "Add the axial head series. Localisers, reports and derived pictures do not count.",
      },
      "mixed-series": {
        title: "Several series could be meant.",
        remedy: "They may be of several examinations. Send the folder of one series only.",
      },
      "missing-slices": {
        title: "Slices are missing.",
        remedy: "Export the whole series again; the gap is too wide to bridge.",
      },
      "irregular-geometry": {
        title: "The slices do not form a volume.",
        remedy: "Send one series of one acquisition, without reformats of it.",
      },
      "wrong-modality": {
        title: "The image is of the wrong kind for this question.",
        remedy:
          "Choose a question that needs such an image, or send the image that this one needs: each question above says which.",
      },
      "unreadable-image": {
        title: "The image could not be read within the limits of the service.",
        remedy: "Send one series only; if it is large, export it uncompressed.",
      },
      "not-a-head": {
        title: "The image does not show a head.",
        remedy: "Check that the right series was sent.",
      },
      "ehr-invalid": {
        title: "Fields of the record cannot be used.",
        remedy: "Correct the fields named here, or mark them as unknown.",
      },
      "ehr-insufficient": {
        title: "The record has too few fields.",
        remedy: "Fill in more fields; this model needs them.",
      },
      "feedback-invalid": {
        title: "The feedback cannot be kept as it is.",
        remedy: "Choose a true outcome that this model knows, and keep the reason under 1000 characters.",
      },
      "unknown-model": {
        title: "This model is no longer served.",
        remedy: "Load the page again and choose among the models that are.",
      },
      "unknown-prediction": {
        title: "There is no such prediction.",
        remedy: "It may have been deleted. Look for it in the worklist.",
      },
      "unknown-upload": {
        title: "The service no longer has the files.",
        remedy: "They are kept for half an hour. Send them again; the record stays filled in.",
      },
      "case-expired": {
        title: "The image of this case is not kept.",
        remedy: "The answer stays. To see the image or ask what-if, run the case anew.",
      },
      "not-ready": {
        title: "The service is not ready yet.",
        remedy: "Models are loaded and tested when the service starts. Wait a moment.",
      },
      overloaded: {
        title: "The service is busy.",
        remedy: "More cases arrive than it can answer. Wait a moment; nothing you entered is lost.",
      },
      "deadline-passed": {
        title: "There was no time left for an answer.",
        remedy: "Try again in a moment; nothing you entered is lost.",
      },
      "storage-unavailable": {
        title: "The service cannot reach its storage.",
        remedy: "Wait a moment and try again; nothing you entered is lost. If it lasts, tell the operator.",
      },
      "job-interrupted": {
        title: "The service could not finish this case.",
        remedy:
          "It was begun several times and cut off each time. Tell the operator, then send the case again.",
      },
      "answer-unreadable": {
        title: "This answer cannot be read.",
        remedy:
          "It is damaged, or a newer version of the service kept it. Tell the operator, or run the case anew.",
      },
      "job-cancelled": {
        title: "This case was cancelled.",
        remedy: "It has no answer. Send the case again if one is wanted.",
      },
      "job-finished": {
        title: "This case is finished already.",
        remedy: "Look for its answer in the worklist.",
      },
      "unknown-job": {
        title: "The service knows no such case.",
        remedy: "Its time may be over. Look for its answer in the worklist, or send the case again.",
      },
      "unknown-batch": {
        title: "The service knows no such batch.",
        remedy: "Its time may be over. Begin another one.",
      },
      "batch-closed": {
        title: "The batch takes no more cases.",
        remedy: "Begin another one.",
      },
      "idempotency-key-in-use": {
        title: "The same request is still being answered.",
        remedy: "Wait a moment and ask again.",
      },
      "idempotency-key-reused": {
        title: "This request carries the key of another one.",
        remedy: "Send it with a key of its own.",
      },
      "webhook-refused": {
        title: "The service may not call this address.",
        remedy: "Leave it out, or have the operator allow its host.",
      },
      "not-authenticated": {
        title: "The service does not know who asks.",
        remedy: "Sign in, and do this again; what you entered is still here.",
      },
      "not-allowed": {
        title: "Your roles do not allow this.",
        remedy: "Ask whoever gives out accounts for the role, if it belongs to your work.",
      },
      "cross-site": {
        title: "The service takes this request from its own page only.",
        remedy: "Load the page again, at the address that you were given for it.",
      },
      "sign-in-failed": {
        title: "The sign-in did not succeed.",
        remedy: "Sign in once more, in one window only. If it fails again, tell the operator.",
      },
      "provider-unavailable": {
        title: "The sign-in of your organisation does not answer.",
        remedy: "Wait a moment and try again; nothing you entered is lost. If it lasts, tell the operator.",
      },
      "rate-limited": {
        title: "More requests than this service allows you.",
        remedy: "Wait a moment; nothing you entered is lost.",
      },
      "package-in-use": {
        title: "The model is in use.",
        remedy: "Point its aliases elsewhere, or wait until its jobs are done.",
      },
      "package-refused": {
        title: "The model was refused.",
        remedy: "It failed its own test; what was served before is served on. The reason says what to mend.",
      },
      "nothing-to-roll-back": {
        title: "There is nothing to go back to.",
        remedy: "No version answered before the one that does now.",
      },
      "not-found": {
        title: "The service has nothing at this address.",
        remedy: "Load the page again: it may be older than the service.",
      },
      "method-not-allowed": {
        title: "The service does not take this request.",
        remedy: "Load the page again: it may be older than the service.",
      },
      internal: {
        title: "The service failed.",
        remedy: "Try again. If it fails again, give the request number to the operator.",
      },
      "service-unreachable": {
        title: "The service cannot be reached.",
        remedy: "Check the network, and that the service is running. Nothing you entered is lost.",
      },
      "not-answered-yet": {
        title: "This case has not been answered yet.",
        remedy: "It was sent as a job, and waits for its turn or is being worked on. Ask again in a moment.",
      },
      "part-missing": {
        title: "A part of this page could not be loaded.",
        remedy:
          "The service may have been updated since the page was opened: load it again. If it stays so, tell the operator.",
      },
      "unexpected-answer": {
        title: "Something other than the service answered.",
        remedy: "A proxy or a sign-in page may stand between. Load the page again, or ask the operator.",
      },
    } as Record<string, { title: string; remedy: string }>,
  },
  record: {
    title: "Patient's record",
    unknown: "Unknown",
    unknownOf: (feature: string) => `${feature}: unknown`,
    unitOf: (feature: string) => `Unit of ${feature}`,
    range: (low: string, high: string, unit: string) =>
      `${low}${low.startsWith("-") ? " to " : "–"}${high}${unit ? ` ${unit}` : ""}`,
    choose: "Choose …",
    notANumber: "Enter a number, such as 7.2, or mark it as unknown.",
    ambiguous: (whole: string, decimal: string) =>
      `Is this ${whole} or ${decimal}? Write it in one of these ways.`,
    otherUnit: (unit: string) =>
      `This model does not read ${unit}: choose another unit, and enter the value in it.`,
    notWhole: "Enter a whole number, or mark it as unknown.",
    outOfRange: (range: string) => `Must lie within ${range}.`,
    notAChoice: "Choose one of the list, or mark it as unknown.",
    required: "This model needs the value.",
    isRequired: "Needed",
    tooFew: (minimum: number) => `This model needs at least ${minimum} known fields.`,
    known: (known: number, all: number) => `${known} of ${all} known`,
    /** Words for UCUM codes; a code that is absent is shown as it is. */
    units: {
      a: "years",
      mo: "months",
      wk: "weeks",
      d: "days",
      h: "hours",
      min: "minutes",
      s: "seconds",
      "mm[Hg]": "mmHg",
      "cm[H2O]": "cmH₂O",
      "10*12/L": "× 10¹²/L",
      "10*9/L": "× 10⁹/L",
      "10*6/L": "× 10⁶/L",
      "10*6/mL": "× 10⁶/mL",
      "10*6/uL": "× 10⁶/µL",
      "10*3/uL": "× 10³/µL",
      "10*3/mm3": "× 10³/mm³",
      "/uL": "/µL",
      "/mm3": "/mm³",
      "ug/dL": "µg/dL",
      "ug/L": "µg/L",
      "ug/mL": "µg/mL",
      "umol/L": "µmol/L",
      cm3: "cm³",
      mm3: "mm³",
      "[lb_av]": "lb",
      "[in_i]": "in",
      Cel: "°C",
      "[degF]": "°F",
      "{score}": "points",
      "{count}": "",
      "{INR}": "",
      "1": "",
    } as Record<string, string>,
    categories: { female: "Female", male: "Male", yes: "Yes", no: "No" } as Record<string, string>,
  },
  unanswered: {
    title: (reference: string) =>
      reference ? `No answer came for case ${reference}` : "No answer came for the case that you left",
    remedy: "Look for it in the worklist; if it is not there, enter it again as a new case.",
    read: "Close",
  },
  newCase: {
    title: "New case",
    unsent: "This case has not been answered. Leave it, and lose what was entered?",
    question: {
      title: "Question",
      none: "No model is ready. The service may still be starting.",
      needs: { CT: "needs a head CT", MR: "needs a T1-weighted brain MRI" } as Record<string, string>,
      state: { ready: "", loading: "loading", failed: "not available", unloaded: "not in service" } as Record<
        string,
        string
      >,
      version: (name: string, version: number) => `${name} version ${version}`,
    },
    image: {
      title: "Image",
      drop: "Drop a folder, DICOM files, a zip or a NIfTI here",
      dropNow: "Let go to send",
      either: "or choose",
      files: "Files …",
      folder: "Folder …",
      travels: "Sent at once to this service and nowhere else. File names stay on this computer.",
      noModel: "No model is ready to read the image. It is sent as soon as one is.",
      nothing: "Nothing was dropped that could be sent: the folder is empty.",
      unreadable:
        "This browser could not read the files. They may have been moved or changed, or lie on a disc that was taken out: choose them again with the buttons.",
      sending: (files: number) => (files === 1 ? "Sending 1 file" : `Sending ${files} files`),
      reading: "Sent. The service is reading the image",
      gathering: "Reading the folder",
      cancel: "Cancel",
      replace: "Choose another image",
      progress: "Upload",
    },
    preview: {
      title: "What was recognised",
      overview: "The image as it was read; the box is the part that the model sees.",
      modality: "Modality",
      size: "Voxels",
      spacing: "Spacing",
      extent: "Extent",
      orientation: "Orientation",
      axes: {
        R: "to the right",
        L: "to the left",
        A: "to the front",
        P: "to the back",
        S: "upwards",
        I: "downwards",
      } as Record<string, string>,
      seriesChosen: "Series that was read",
      seriesOthers: (count: number) => (count === 1 ? "1 other series" : `${count} other series`),
      columns: { series: "Series", kind: "Kind", slices: "Slices", gap: "Gap", why: "Why" },
      nifti: "A NIfTI file: one volume, no series to choose from.",
      findings: "Findings",
      noFindings: "Nothing had to be corrected.",
      limits: "limits the answer",
      contrast: "contrast agent",
      kernel: { soft: "soft kernel", sharp: "sharp kernel" } as Record<string, string>,
      weighting: { T1: "T1", T2: "T2", PD: "PD", FLAIR: "FLAIR", diffusion: "diffusion" } as Record<
        string,
        string
      >,
    },
    earlier: {
      title: "Are these values this patient's?",
      what: "The record or the case number holds what was entered before this image was chosen.",
      keep: "Yes, keep them",
      clear: "No, clear record and case number",
      first: "Say first whose values these are.",
    },
    reference: {
      label: "Your case number",
      optional: "optional",
      warning: "A number of your own to find the case again. No names, no birth dates, no hospital number.",
    },
    submit: {
      predict: "Predict",
      needsImage: "Choose an image first.",
      awaitsImage: "Wait until the image has been read.",
      needsFields: "The fields of the record are not here yet.",
      needsRecord: "Correct the fields marked in the record.",
      working: "The model is reading the case",
      elapsed: (seconds: number) => `${seconds} s`,
      cancel: "Cancel",
      cancelled: "Cancelled. The image and the record are still here.",
      outdated: "Stopped, as the case was changed meanwhile. Predict again.",
      again: "Send the files again",
    },
  },
  worklist: {
    title: "Worklist",
    refresh: "Refresh",
    search: "Search",
    searchHint: "Case number or id",
    task: "Question",
    tasks: { gos: "Outcome after haemorrhage", ad: "Alzheimer's disease" } as Record<string, string>,
    label: "Answer",
    /** Short: `GOS 2–3`, `AD`; labels that are words stay words. */
    labelOf: (label: string) => {
      const words = label.replaceAll("_", " ");
      if (/^(gos( \d)+|cn|mci|ad)$/.test(words)) return words.toUpperCase().replace(/(\d) (\d)/, "$1–$2");
      return words.charAt(0).toUpperCase() + words.slice(1);
    },
    feedback: "Feedback",
    feedbackFilter: {
      none: "Not yet given",
      any: "Given",
      agree: "Agree",
      disagree: "Disagree",
    } as Record<string, string>,
    since: "From",
    until: "To",
    all: "All",
    reset: "Reset filters",
    csv: "Feedback as CSV",
    columns: {
      select: "Compare",
      created: "Answered",
      reference: "Case",
      task: "Question",
      model: "Model",
      label: "Answer",
      favourable: "Probability",
      cautions: "Cautions",
      feedback: "Feedback",
      actions: "Actions",
    },
    probability: (percent: string, of: string) => `${percent} ${of}`,
    favourable: "favourable",
    /** In place of the probability, where the kept answer is damaged. */
    unreadable: "cannot be read",
    selectFor: (name: string) => `Select ${name} to compare`,
    abstained: "abstained",
    outOfDistribution: "unlike known cases",
    /** What limits an answer, within a list: no capital but of an abbreviation. */
    limit: (title: string) => title.replace(/^[A-Z](?![A-Z])/, (first) => first.toLowerCase()),
    findings: (count: number) => (count === 1 ? "1 finding" : `${count} findings`),
    noImage: "image not kept",
    agreement: { agree: "agrees", disagree: "disagrees" } as Record<string, string>,
    outcome: (label: string) => `true outcome ${label}`,
    noFeedback: "none",
    reasonOnly: "in words",
    give: "Feedback",
    giveFor: (name: string) => `Feedback on ${name}`,
    delete: "Delete",
    deleteFor: (name: string) => `Delete ${name}`,
    compare: "Compare the two",
    compareHint: "Select two cases to compare them side by side.",
    compareOne: "Select one more case.",
    /** What is selected may stand on another page, or fit another search. */
    clear: (count: number) => `Unselect ${count}`,
    empty: "No case fits the filters.",
    none: "No case has been answered yet.",
    first: "Begin with a new case",
    range: (first: number, last: number, total: number) => `${first}–${last} of ${total}`,
    earlier: "Previous page",
    later: "Next page",
    pages: "Pages",
    confirm: {
      title: (name: string) => `Delete ${name}?`,
      what: "The answer, its heatmap, the kept image and the feedback are removed. This cannot be undone.",
      yes: "Delete for good",
      no: "Keep",
    },
  },
  feedback: {
    title: (name: string) => `Feedback on ${name}`,
    agreement: "Do you agree with the answer?",
    agree: "Agree",
    disagree: "Disagree",
    undecided: "No opinion",
    reason: "Reason",
    reasonHint: "What the model overlooked or misread. No names.",
    outcome: "True outcome, once it is known",
    notKnown: "Not known yet",
    save: "Save",
    saved: "Feedback saved.",
    meanwhile: (said: string, reason: string | null) =>
      `Feedback was saved since this was opened: ${said}${reason ? ` (“${reason}”)` : ""}. Save again to put yours in its place.`,
    cancel: "Cancel",
  },
  whatIf: {
    title: "What if the record were different?",
    explain: "The same image with another record. Nothing is sent but the record, and nothing is kept.",
    original: "As answered",
    now: "With these values",
    difference: (points: string) => `${points} percentage points`,
    same: "no change",
    of: { favourable: "favourable outcome (GOS 4 or 5)", ad: "Alzheimer's disease" } as Record<
      string,
      string
    >,
    reset: "Back to the record as answered",
    original_value: (value: string) => `was ${value}`,
    unknown: "unknown",
    known: (feature: string) => `${feature} is known`,
    knownHeading: "known",
    asking: "Asking …",
    curveOf: "Curve over",
    curveTitle: (feature: string) => `Probability over ${feature}, all else as set above`,
    curveSummary: (feature: string, low: string, high: string, first: string, last: string) =>
      `From ${first} at ${feature} ${low} to ${last} at ${high}.`,
    curveBeyond: (values: string, isShaded: boolean) =>
      `${isShaded ? "Shaded: beyond" : "Beyond"} what training held, and no guide to what would happen there: ${values}.`,
    axis: (feature: string, unit: string) => (unit ? `${feature}, ${unit}` : feature),
    legend: {
      curve: "probability",
      at: (place: string, probability: string) => `probability at ${place}: ${probability}`,
      missing: (feature: string, probability: string) => `${feature} unknown: ${probability}`,
      here: "as set above",
    },
    expired: "What-if needs the image, which the service keeps for a limited time. Run the case anew to ask.",
    beyond: (features: string) => `beyond what training held: ${features}`,
  },
  findings: {
    "answer-unreadable": "Answer cannot be read",
    "gantry-tilt-corrected": "Gantry tilt corrected",
    "gaps-between-slices": "Wide gaps between slices",
    "uneven-slice-gaps-resampled": "Uneven gaps between slices evened out",
    "displaced-slices-resampled": "Slices shifted sideways put in line",
    "duplicate-slices-dropped": "Slices sent twice used once",
    "files-ignored": "Files left out",
    "lossy-compression": "Lossy compression",
    "nifti-orientations-disagree": "The file states two orientations",
    "non-finite-voxels-replaced": "Voxels without a value replaced",
    "contrast-agent": "Made with contrast agent",
    "body-part-doubtful": "Body part doubtful",
    "weighting-doubtful": "MR weighting doubtful",
    "head-not-found": "Head not found with certainty",
    "head-cut-off": "Head cut off",
    "head-doubtful": "Doubtful whether this is a head",
    "skull-stripped": "Skull was removed",
    "windowed-image": "Window burnt into the image",
    "small-head": "Unusually small head",
    "slices-alternate": "Neighbouring slices may not belong together",
    "training-data": "Training data",
    "out-of-distribution": "Unlike the cases the model knows",
    abstained: "The model does not commit itself",
    "empty-record": "Nothing of the record is known",
    "beyond-training": "Values beyond what training held",
  } as Record<string, string>,
  viewer: {
    title: "Image viewer",
    canvas: (hasHeatmap: boolean) =>
      `Image${hasHeatmap ? " with heatmap" : ""}. Arrow keys scroll through slices, question mark shows every key.`,
    loading: "Loading the image …",
    view: "View",
    layouts: {
      planes: "Three planes",
      axial: "Axial",
      coronal: "Coronal",
      sagittal: "Sagittal",
      volume: "3D",
    },
    window: "Window",
    windowWords: (width: string, level: string) => `W ${width} L ${level}`,
    presets: { brain: "Brain", subdural: "Subdural", bone: "Bone", automatic: "Automatic" },
    slices: "Slices",
    back: {
      axial: "Axial: one slice down",
      coronal: "Coronal: one slice to the back",
      sagittal: "Sagittal: one slice to the patient's left",
    },
    onward: {
      axial: "Axial: one slice up",
      coronal: "Coronal: one slice to the front",
      sagittal: "Sagittal: one slice to the patient's right",
    },
    turn: "Turn",
    turns: { left: "Turn left", right: "Turn right", up: "Turn up", down: "Turn down" },
    zoom: "Zoom",
    larger: "Larger",
    smaller: "Smaller",
    reset: "Whole image",
    overlay: {
      title: "Heatmap",
      toggle: "Show",
      peak: "Go to peak",
      opacity: "Opacity",
      threshold: "From",
      colours: "Colours",
      ramp: "Colours from average attention or less (0) to the image's highest (1)",
      meaning:
        "Attention is relative within this image: 0 is average or less, 1 its highest. Where the model looked is neither a finding nor a cause.",
      maps: { inferno: "Inferno", magma: "Magma", plasma: "Plasma", viridis: "Viridis", cividis: "Cividis" },
    },
    reading: {
      place: "Crosshair",
      density: "Density",
      intensity: "Intensity",
      hu: (value: number) => `${value} HU`,
      attention: "Attention",
      peak: "Peak",
    },
    heatmapGone: "The heatmap is no longer kept: this is the image alone.",
    stored: {
      expired:
        "The image itself is not kept: the service keeps it where it was asked to, and for some hours only.",
      cannotDraw: "The image could not be drawn: this browser offers no WebGL 2, or the file cannot be read.",
      instead: "This is the picture that was stored with the answer.",
      none: "No picture was stored with the answer.",
      gone: "Nor can the picture be shown that was stored with the answer.",
      alt: "Axial, coronal and sagittal plane through the heatmap's peak, in radiological convention, heatmap in colour",
    },
    help: {
      open: "Keys and gestures",
      title: "Keys and gestures",
      close: "Close",
      where:
        "Keys act while the image or one of its buttons has the focus. Radiological convention: the patient's right is on the left of the picture.",
      keys: [
        ["1 2 3 4 5", "Three planes, axial, coronal, sagittal, 3D"],
        ["↑ ↓", "One slice; in three planes the axial one. 3D: turn"],
        ["Page up, Page down", "Five slices"],
        ["← →", "Three planes: the sagittal one. 3D: turn"],
        ["Shift with ↑ ↓", "Three planes: the coronal one"],
        ["h", "Heatmap on or off"],
        ["p", "To the heatmap's peak"],
        ["+ − 0", "Larger, smaller, whole image"],
        ["?", "This sheet"],
      ] as [string, string][],
      presets: {
        brain: ["b", "Brain window (W 80 L 40)"],
        subdural: ["s", "Subdural window (W 200 L 75)"],
        bone: ["o", "Bone window (W 2800 L 600)"],
        automatic: ["a", "Automatic window"],
      } as Record<string, [string, string]>,
      mouse: [
        ["Click, touch or drag", "Move the crosshair. 3D: turn"],
        ["Two fingers apart or together", "Zoom"],
        ["Wheel", "Scroll slices. 3D: zoom"],
        ["Right button, drag", "Change the window"],
        ["Middle button or Shift, drag", "Move the image; with the wheel, zoom"],
      ] as [string, string][],
    },
  },
  result: {
    title: "Result",
    made: (when: string) => `Answered ${when}`,
    feedback: "Feedback",
    report: "Report to print",
    compare: "Compare with another case",
    loading: "Loading the answer …",
    use: { title: "Intended use of this model" },
    cautions: {
      title: "Before you read the number",
      none: "The service names nothing that limits this answer, beyond what the model was trained on.",
      abstained: "The model abstains",
      abstainedWhy:
        "It does not commit itself on this case. Do not use the most likely class on its own; the probabilities are shown for inspection only.",
      beyond: (values: string) =>
        `The record goes beyond what the model tells apart: ${values}. The true effect may be larger.`,
      outOfDistribution: "Unlike the cases the model knows",
      outOfDistributionWhy: (score: string, threshold: string) =>
        `${score} of the calibration cases are less unusual than this one; from ${threshold} on, a case is flagged. The probabilities cannot be trusted here.`,
    },
    statement: {
      title: "Probability",
      about: (count: number) => `about ${count}`,
      fewerThan: (count: number) => `fewer than ${count}`,
      moreThan: (count: number) => `more than ${count}`,
      of: "of 100",
      favourable: (count: string) =>
        `Of 100 cases such as this one, ${count} would have a favourable outcome: alive and independent in daily life (GOS 4 or 5).`,
      class: (count: string, what: string) => `Of 100 cases such as this one, ${count} ${what}.`,
      /** What a case of a class would be; other classes are named by their title. */
      would: {
        ad: "would have Alzheimer's disease",
        mci: "would have mild cognitive impairment",
        cn: "would be cognitively normal",
      } as Record<string, string>,
      wouldBe: (title: string) => `would be: ${title}`,
      calibrated: (n: number, data: string) =>
        `Calibrated on ${n} cases kept apart from training. Training data: ${data}`,
      inspection: "This number is shown for inspection only.",
      array: (words: string) => `100 figures, one for each of 100 such cases: ${words}`,
    },
    classes: {
      title: "Outcomes",
      columns: { outcome: "Outcome", probability: "Probability", inSet: "In the prediction set" },
      inSet: "in the set",
      /** The Glasgow Outcome Scale in words (Jennett and Bond, Lancet 1975;305:480-484). */
      names: {
        gos_1: "GOS 1, dead",
        gos_2: "GOS 2, vegetative state",
        gos_2_3: "GOS 2–3, vegetative state or severe disability",
        gos_3: "GOS 3, severe disability",
        gos_4: "GOS 4, moderate disability",
        gos_5: "GOS 5, good recovery",
        cn: "Cognitively normal",
        ad: "Alzheimer's disease",
        mci: "Mild cognitive impairment",
      } as Record<string, string>,
      meanings: {
        gos_2: "Awake at times, without signs of awareness",
        gos_3: "Conscious, needs help in daily life",
        gos_4: "Disabled, but independent in daily life",
        gos_5: "Back to normal life; small deficits may remain",
      } as Record<string, string>,
    },
    set: {
      title: "Prediction set",
      empty: "The set is empty: no outcome is likely enough to stand in it.",
      words: (classes: string, of100: number) =>
        `${classes}. The set is made so that in about ${of100} of 100 such cases it holds the true outcome; the larger it is, the less is known.`,
    },
    share: {
      title: "Image and record",
      words: (image: number) =>
        `${image} % of the fused evidence came from the image, ${100 - image} % from the record. A share of a mixture, not of a cause.`,
      noRecord:
        "Nothing of the record is known: what the model mixes with the image is its answer to an empty record, and a share would say nothing of this patient.",
      bar: (image: number) => `Image ${image} %, record ${100 - image} %`,
      image: "Image",
      record: "Record",
    },
    contributions: {
      title: "What the record contributed",
      about: (measure: string) =>
        `Each bar compares the answer with the answer had this one value been unknown, all else equal: to the right, knowing it makes ${measure} more probable; to the left, less. The bars do not add up, and they speak of the model, not of causes.`,
      columns: { feature: "Feature", value: "Value", effect: "Points" },
      favourable: "a favourable outcome",
      effect: (direction: "raises" | "lowers" | "none", points: number, measure: string): string => {
        if (direction === "none")
          return `Knowing it moves the probability of ${measure} by less than half a point.`;
        const by = points === 1 ? "1 point" : `${points} points`;
        return `Knowing it ${direction} the probability of ${measure} by ${by}, against not knowing it.`;
      },
      converted: "converted",
      /** Of a value beyond what training held. */
      takenAs: (words: string) => `taken as ${words}`,
      unknown: "unknown",
      missing: (features: string) => `Not known, told to the model as missing: ${features}.`,
      computing: "Computing the contributions …",
      expired: "Contributions can be computed only while the case is kept; it no longer is.",
      failed: "The contributions could not be computed.",
      nothing: "Nothing of the record is known: the image answers alone.",
      small: "< 0.5",
    },
    scores: {
      title: "Clinical scores",
      about:
        "For comparison: two published bedside scores. Age and GCS come from the record; the rest is entered here by you and leaves this page only in print.",
      fromRecord: "from the record",
      origin: (isEntered: boolean) => (isEntered ? "entered by you" : "yours to enter"),
      unusable: (low: string, high: string, whole: boolean) =>
        `Enter a ${whole ? "whole " : ""}number from ${low} to ${high}.`,
      volume: "Haematoma volume",
      ml: "mL",
      abc: "By ABC/2",
      a: "A, largest diameter",
      b: "B, at right angles",
      c: "C, height (slices × thickness)",
      cm: "cm",
      choose: "Unknown",
      yes: "Yes",
      no: "No",
      inputs: {
        age: "Age",
        gcs: "GCS",
        volumeMl: "Haematoma volume",
        intraventricular: "Blood in the ventricles",
        location: "Location",
        cognitiveImpairment: "Cognitive impairment before the haemorrhage",
      },
      locations: { lobar: "Lobar", deep: "Deep", infratentorial: "Infratentorial" },
      needs: (inputs: string) => `Needs: ${inputs}.`,
      points: (points: number, maximum: number) => `${points} of ${maximum} points`,
      ich: {
        name: "ICH Score",
        outcome: (percent: number) => `${percent} of 100 of the published cohort died within 30 days.`,
        source: "Hemphill et al., Stroke 2001;32:891",
      },
      func: {
        name: "FUNC Score",
        outcome: (percent: number) =>
          `${percent} of 100 of the published cohort were independent (GOS 4 or 5) after 90 days.`,
        source: "Rost et al., Stroke 2008;39:2304",
      },
      note: "Both come from the patients of one university each. Volume by ABC/2: Kothari et al., Stroke 1996;27:1304.",
    },
    image: {
      title: "Image",
      modality: "Modality",
      size: "Voxels",
      spacing: "Spacing",
      series: "Series",
      why: "Why this one",
      others: (count: number) =>
        count === 1 ? "1 other series was left out" : `${count} other series were left out`,
      nifti: "A NIfTI file: no series to choose from",
      seriesWords: (number: string, slices: number) => `${number}, ${slices} slices`,
      numbered: (number: number) => `Series ${number}`,
      unnumbered: "Series without a number",
      findings: "Findings",
      none: "Nothing had to be corrected.",
    },
    model: {
      title: "Model",
      package: "Package",
      version: (name: string, version: number) => `${name}, version ${version}`,
      digest: "SHA-256",
      provider: "Computed by",
      computedBy: (release: string | null | undefined, provider: string) =>
        release ? `NeuroFuse ${release}, ${provider}` : provider,
      use: "Intended use",
      data: "Training data",
      time: "Time in the service",
      ms: (ms: number) => `${ms} ms`,
      card: "Model card",
      hideCard: "Hide the model card",
      loading: "Loading the model card …",
      noCard: "The model card could not be loaded.",
    },
  },
  compare: {
    title: "Two cases side by side",
    left: "First case",
    right: "Second case",
    linked: "Crosshairs go together",
    about:
      "Linked by the scanner's coordinates only: nothing is registered, so the same coordinates are the same place in the head only where patient and table have not moved between the two.",
    records: "Both records",
    feature: "Feature",
    notAsked: "not asked",
  },
  report: {
    back: "Back to the result",
    print: "Print or save as PDF",
    drawing: "Drawing the slices …",
    ready: "Ready to print",
    disclaimer:
      "A prediction for discussion among clinicians; it replaces no judgement and no reading of the image.",
    reference: "Case number",
    noReference: "none was given",
    prediction: "Prediction",
    answered: "Answered",
    printed: "Printed",
    plane: (plane: string, hasHeatmap: boolean) =>
      `${plane} plane${hasHeatmap ? " with heatmap" : ""}, radiological convention`,
    atPeak: (place: string, from: number) =>
      `Axial, coronal and sagittal plane through the heatmap's peak at ${place}, heatmap in colour from ${from}. Radiological convention: the patient's right is on the left.`,
    inMiddle:
      "Axial, coronal and sagittal plane through the middle. Radiological convention: the patient's right is on the left.",
    noHeatmap: "No heatmap was asked for.",
    scores:
      "Computed from the record and from what the clinician entered beside it; not an output of the model.",
  },
};

export type Texts = typeof texts;
