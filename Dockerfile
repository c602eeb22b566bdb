# The image that SageMaker trains with and serves from:
#     docker build --network host -t music-recommender .
#     docker run --rm -v "$PWD/runs/demo:/opt/ml" music-recommender train
#     docker run --rm -v "$PWD/runs/demo:/opt/ml" -p 127.0.0.1:8080:8080 music-recommender serve
# With -e SERVING_ENGINE=uvicorn it serves without Java.
# It writes only below /opt/ml and /tmp, so it also runs with a read-only root file system, as any user id, and without network.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    python3 python3-venv openjdk-17-jdk-headless binutils gcc libc6-dev

# multi-model-server needs a third of Debian's Java 17 runtime: jlink leaves out the rest and its graphics and sound libraries.
# java.desktop stays for java.beans, which log4j uses. -Xshare:dump makes the archive that a quick start maps.
RUN jlink --output /opt/java --strip-debug --no-header-files --no-man-pages \
    --add-modules java.base,java.desktop,java.logging,java.management,java.naming,java.sql,java.xml,jdk.crypto.ec,jdk.management,jdk.unsupported \
 && /opt/java/bin/java -Xshare:dump >/dev/null

# pip lives in a virtual environment of its own and installs into the one that ships, which therefore has none.
COPY requirements/image.txt /tmp/
RUN python3 -m venv /opt/pip \
 && python3 -m venv --without-pip /opt/venv \
 && /opt/pip/bin/pip --python /opt/venv/bin/python install --quiet --no-cache-dir --no-compile --require-hashes -r /tmp/image.txt

# Tests, C headers and sources of the packages, what Arrow has for networks, the descriptions of all AWS services, and the pictures of
# multi-model-server and Dask's pages: nothing here is read when training or serving.
# Bytecode is compiled here, once: at run time the file system may be read-only, and a quick start matters.
RUN cd /opt/venv/lib/python3.11/site-packages \
 && find . -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} + \
 && rm -rf pyarrow/include pyarrow/src pyarrow/*flight* pyarrow/*s3* numpy/_core/include \
    botocore/data PIL pillow.libs distributed/dashboard distributed/http/static \
 && find . -type f -regex '.*\.\(pyx\|pxd\|pxi\|pyi\|c\|h\|tp\)' -delete \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib \
 && chmod -R a+rX /opt/venv

# What changes most comes last, so that a new build sends the registry these few kilobytes only.
COPY inference /opt/program/inference
COPY training /opt/program/training
COPY container /opt/program/container
RUN python3 /opt/program/inference/native/build.py \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/program \
 && chmod -R a+rX /opt/program

# The classes that the server loads, ready to be mapped: a quarter of a second less until the first ping. Java takes it only beside the very
# same jars at the same places, and does without otherwise.
RUN PATH=/opt/venv/bin:/opt/java/bin:$PATH PYTHONPATH=/opt/program python3 -P -m container.serving.class_archive /opt/classes.jsa

FROM ${BASE_IMAGE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /usr/share/doc/* /usr/share/man/*
COPY --from=build /opt/java /opt/java
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/program /opt/program
COPY --from=build /opt/classes.jsa /opt/classes.jsa

ENV PATH=/opt/program/container/bin:/opt/venv/bin:/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/opt/program \
    SERVING_CLASS_ARCHIVE=/opt/classes.jsa \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8

# A label is a promise to the platform. The first: serve listens on SAGEMAKER_BIND_TO_PORT, so it may stand in an inference pipeline.
# The second: with SAGEMAKER_MULTI_MODEL=true it starts without a model, and loads and unloads models as it is told.
LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true \
      com.amazonaws.sagemaker.capabilities.multi-models=true

WORKDIR /opt/program
EXPOSE 8080
# SageMaker puts the single word `train` or `serve` here; both are on PATH and run as process 1, so that SIGTERM reaches them.
CMD ["serve"]
