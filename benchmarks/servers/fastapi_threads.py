"""Plain FastAPI: an endpoint that is no coroutine, which FastAPI runs in its pool of threads."""

from typing import Annotated

import uvicorn
from fastapi import FastAPI, Form, UploadFile

from benchmarks.servers.work import CORES, make_work, port

app = FastAPI()
work = make_work(threads=CORES)


@app.post("/predict")
def predict(image: UploadFile, ehr: Annotated[str, Form()]) -> dict[str, dict[str, float]]:
    return {"probabilities": work.infer([work.prepare(image.file.read(), ehr)])[0]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=port(), log_level="warning", access_log=False)
