"""The metrics of one application; docs/reference/metrics.md lists them all."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32)
STAGE_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
JOB_BUCKETS_S: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
REQUEST_BUCKETS_S: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SCORE_BUCKETS: Final = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
SPACING_BUCKETS_MM: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
WEBHOOK_OUTCOMES: Final = ("delivered", "postponed", "given-up")
DISTANCE_BUCKETS: Final = (1e-6, 1e-4, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class _Registered:
    """Metrics that are shown by one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(name, help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, help_text, labels, buckets=buckets, registry=self.registry)


class CaseMetrics(_Registered):
    """What is counted of every answered case: classes, flags, codes and millimetres, nothing of a patient.

    Args:
        registry: Where they are shown.

    Attributes:
        answers: Answers by package and most likely class.
        out_of_distribution: Of them, cases unlike those of calibration.
        abstained: Of them, those in which the model did not commit itself.
        out_of_distribution_score: How unlike, as a share of the calibration cases that are less unusual.
        images: Images that were answered, by modality.
        slice_spacing: Largest distance of neighbouring voxels of these images.
        findings: What was noticed about these images, by code.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        model = ("model_name", "model_version")
        self.answers = self._counter("neurofuse_answers", "Answers.", *model, "label")
        self.out_of_distribution = self._counter(
            "neurofuse_out_of_distribution", "Answers to cases unlike those of calibration.", *model
        )
        self.abstained = self._counter(
            "neurofuse_abstained", "Answers in which the model did not commit itself.", *model
        )
        self.out_of_distribution_score = self._histogram(
            "neurofuse_out_of_distribution_score",
            "Share of calibration cases that are less unusual.",
            SCORE_BUCKETS,
            *model,
        )
        self.images = self._counter("neurofuse_images", "Images that were answered.", "modality")
        self.slice_spacing = self._histogram(
            "neurofuse_slice_spacing_mm",
            "Largest distance of neighbouring voxels of an image.",
            SPACING_BUCKETS_MM,
            "modality",
        )
        self.findings = self._counter("neurofuse_image_findings", "What was noticed about images.", "code")


class Metrics(_Registered):
    """The metrics of one application, in a registry of its own.

    The four stage histograms carry KServe's names, so that dashboards made for KServe work.

    Attributes:
        requests: Finished requests by route template, outcome (`ok`, `refused`, `failed`) and problem code.
        request_seconds: From the first byte of a request to the last of its answer, by route template; not of those accepted for later.
        preprocess: Reading and resampling a case.
        predict: Running the network.
        explain: Bringing the heatmap back to the patient's grid and writing it.
        postprocess: Keeping the answer and its files.
        queue: Waiting for a place.
        pending: Cases uploading, waiting or worked on.
        batch_cases: Runs of the graph, by the cases that shared them.
        jobs: Jobs that are not finished, by state (`queued`, `running`), on all machines that share the database.
        jobs_finished: Jobs that ended in this process, by state and problem code.
        job_seconds: From the acceptance of a job to its end.
        webhooks: Attempts to deliver a webhook, by outcome (`delivered`, `postponed`, `given-up`).
        sweep_faults: Times that something over its time could not be looked for or removed.
        watch_faults: Times that what is watched of cases, answers or keys could not be brought up to date.
        artefacts_disk: The disk of heatmaps and uploads of jobs, by part (`free`, `whole`); nothing of an object store.
        models_ready: Packages that passed their self-test.
        models: Packages in the store.
        models_by_state: The same by state.
        alias_versions: The version that each alias means here: processes that disagree can be seen.
        switches: How often what a package's names mean was changed here.
        alias_cases: Cases that were asked for by an alias, by the version that got them: a canary's share can be seen.
        shadow_cases: Answers that another version was to be compared with, by outcome (`compared`, `dropped`, `failed`).
        shadow_total_variation: How far the probabilities of the two versions are apart, 0 to 1.
        shadow_labels: Compared answers by whether the most likely class is the same.
        shadow_seconds: Running the network on the same cases, in the version that answered and in its shadow.
        cases: What is counted of every answered case.
    """

    def __init__(self) -> None:
        super().__init__(CollectorRegistry())
        ProcessCollector(registry=self.registry)
        self.requests = self._counter("neurofuse_requests", "Finished requests.", "route", "outcome", "code")
        self.request_seconds = self._histogram(
            "neurofuse_request_seconds",
            "From the first byte of a request to the last of its answer.",
            REQUEST_BUCKETS_S,
            "route",
        )
        self.preprocess = self._stage("request_preprocess_seconds", "Reading and resampling.")
        self.predict = self._stage("request_predict_seconds", "Running the network.")
        self.explain = self._stage(
            "request_explain_seconds", "Heatmap back to the patient's grid, and written."
        )
        self.postprocess = self._stage("request_postprocess_seconds", "Keeping the answer and its files.")
        self.queue = self._stage("neurofuse_queue_seconds", "Waiting for a place.")
        self.pending = self._gauge("neurofuse_pending_requests", "Cases uploading, waiting or worked on.")
        self.batch_cases = self._histogram(
            "neurofuse_batch_cases", "Cases of a run of the graph.", BATCH_BUCKETS, "model_name"
        )
        self.jobs = self._gauge("neurofuse_jobs", "Jobs that are not finished.", "state")
        self.jobs_finished = self._counter("neurofuse_jobs_finished", "Jobs that ended.", "state", "code")
        self.job_seconds = self._histogram(
            "neurofuse_job_seconds", "From the acceptance of a job to its end.", JOB_BUCKETS_S, "model_name"
        )
        self.webhooks = self._counter("neurofuse_webhooks", "Attempts to deliver a webhook.", "outcome")
        for outcome in WEBHOOK_OUTCOMES:
            self.webhooks.labels(outcome)  # told from 0 on, so that the first one is an increase
        self.sweep_faults = self._counter(
            "neurofuse_sweep_faults", "Sweeps of what is over its time that failed."
        )
        self.watch_faults = self._counter(
            "neurofuse_watch_faults",
            "Looks at cases, answers or keys for drift, outcomes and ends that failed.",
        )
        self.artefacts_disk = self._gauge(
            "neurofuse_artefacts_disk_bytes", "Of the disk of heatmaps and uploads of jobs.", "part"
        )
        self.models_ready = self._gauge("neurofuse_models_ready", "Packages that passed their self-test.")
        self.models = self._gauge("neurofuse_models", "Packages in the store.")
        self.models_by_state = self._gauge("neurofuse_packages", "Packages by state.", "state")
        self.alias_versions = self._gauge("neurofuse_alias_version", "Version that an alias means.", "alias")
        self.switches = self._counter("neurofuse_switches", "Changes of what names mean.", "model_name")
        self.alias_cases = self._counter("neurofuse_alias_cases", "Cases asked by alias.", "alias", "version")
        self.shadow_cases = self._counter(
            "neurofuse_shadow_cases", "Answers to be compared.", "model", "shadow", "outcome"
        )
        self.shadow_total_variation = self._histogram(
            "neurofuse_shadow_total_variation",
            "Distance of the probabilities of two versions.",
            DISTANCE_BUCKETS,
            "model",
            "shadow",
        )
        self.shadow_labels = self._counter(
            "neurofuse_shadow_labels", "Compared answers by agreement.", "model", "shadow", "agreement"
        )
        self.shadow_seconds = self._histogram(
            "neurofuse_shadow_seconds",
            "Running the network on compared cases.",
            STAGE_BUCKETS_S,
            "model",
            "shadow",
            "side",
        )
        self.cases = CaseMetrics(self.registry)

    def _stage(self, name: str, help_text: str) -> Histogram:
        return self._histogram(name, help_text, STAGE_BUCKETS_S, "model_name")

    def render(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self.registry)
