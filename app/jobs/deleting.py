"""A case is deleted whatever has become of it: an answer that is there, or a job that may become one."""

from app.errors import JobFinishedError, UnknownJobError, UnknownPredictionError
from app.jobs.service import JobService
from app.predictions.service import PredictionService
from app.records.jobs import JobRecords


def delete_case(case_id: str, predictions: PredictionService, jobs: JobService, records: JobRecords) -> None:
    """See that there is no answer to a case, and will be none.

    Args:
        case_id: Of the answer, or of the job that may become one.
        predictions: Remove what is there.
        jobs: Cancel what is on its way.
        records: The table of jobs.

    Raises:
        UnknownPredictionError: No answer with this id is kept, and none will be.
    """
    try:
        predictions.delete(case_id)
    except UnknownPredictionError:
        job = records.find(case_id)
        if job is None or job.state == "cancelled":
            raise
        try:
            jobs.cancel(case_id)
        except (JobFinishedError, UnknownJobError):  # by now; where it failed, there is no answer
            predictions.delete(case_id)
