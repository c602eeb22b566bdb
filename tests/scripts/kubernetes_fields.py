"""The fields of the Kubernetes objects that our template uses, from the API reference (apps/v1, core/v1), as a JSON schema that is strict:
a field that it does not name is a mistake, as it is for ``kubectl apply --validate=strict``."""

from __future__ import annotations

from typing import Any

TEXT, WHOLE, YES_NO = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}
DNS_NAME = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}


def fields(*required: str, **named: Any) -> dict[str, Any]:
    return {"type": "object", "properties": named, "required": list(required), "additionalProperties": False}


def items(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": 1}


def mapping(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": of}


LABELS = mapping({"type": "string", "pattern": r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"})
METADATA = fields("name", name=DNS_NAME, namespace=DNS_NAME, labels=LABELS, annotations=mapping(TEXT))
SELECTOR = fields(matchLabels=LABELS)
PORT = {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string", "pattern": r"^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$"}]}
EXEC, HTTP_GET = fields("command", command=items(TEXT)), fields("port", path=TEXT, port=PORT, scheme={"enum": ["HTTP", "HTTPS"]}, host=TEXT)
TIMES = dict.fromkeys(("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"), WHOLE)
PROBE = fields(httpGet=HTTP_GET, exec=EXEC, **TIMES)
SECCOMP = fields("type", type={"enum": ["RuntimeDefault", "Unconfined", "Localhost"]}, localhostProfile=TEXT)
CAPABILITIES = fields(add=items(TEXT), drop=items(TEXT))
IDENTITY = {"runAsNonRoot": YES_NO, "runAsUser": WHOLE, "runAsGroup": WHOLE, "seccompProfile": SECCOMP}
LOCKED = {"allowPrivilegeEscalation": YES_NO, "readOnlyRootFilesystem": YES_NO, "privileged": YES_NO, "capabilities": CAPABILITIES}
CONTAINER = fields(
    *("name", "image"),
    name=DNS_NAME,
    image=TEXT,
    imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
    command=items(TEXT),
    args=items(TEXT),
    env=items(fields("name", name=TEXT, value=TEXT)),
    ports=items(fields("containerPort", name=PORT, containerPort=PORT, protocol={"enum": ["TCP", "UDP", "SCTP"]})),
    resources=fields(requests=mapping(QUANTITY), limits=mapping(QUANTITY)),
    securityContext=fields(**IDENTITY, **LOCKED),
    volumeMounts=items(fields("name", "mountPath", name=DNS_NAME, mountPath=TEXT, readOnly=YES_NO, subPath=TEXT)),
    startupProbe=PROBE,
    readinessProbe=PROBE,
    livenessProbe=PROBE,
    lifecycle=fields(preStop=fields(exec=EXEC, httpGet=HTTP_GET), postStart=fields(exec=EXEC, httpGet=HTTP_GET)),
)
SPREAD = fields(
    *("maxSkew", "topologyKey", "whenUnsatisfiable"),
    maxSkew=WHOLE,
    topologyKey=TEXT,
    whenUnsatisfiable={"enum": ["DoNotSchedule", "ScheduleAnyway"]},
    labelSelector=SELECTOR,
)
POD = fields(
    "containers",
    automountServiceAccountToken=YES_NO,
    serviceAccountName=DNS_NAME,
    terminationGracePeriodSeconds=WHOLE,
    securityContext=fields(**IDENTITY, fsGroup=WHOLE),
    topologySpreadConstraints=items(SPREAD),
    initContainers=items(CONTAINER),
    containers=items(CONTAINER),
    volumes=items(fields("name", name=DNS_NAME, emptyDir=fields(medium=TEXT, sizeLimit=QUANTITY))),
)
SURGE = {"oneOf": [WHOLE, {"type": "string", "pattern": "^[0-9]+%$"}]}
DEPLOYMENT = fields(
    *("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "apps/v1"},
    kind={"const": "Deployment"},
    metadata=METADATA,
    spec=fields(
        *("selector", "template"),
        replicas=WHOLE,
        revisionHistoryLimit=WHOLE,
        strategy=fields(type={"enum": ["RollingUpdate", "Recreate"]}, rollingUpdate=fields(maxUnavailable=SURGE, maxSurge=SURGE)),
        selector=SELECTOR,
        template=fields("metadata", "spec", metadata={**METADATA, "required": []}, spec=POD),
    ),
)
SERVICE = fields(
    *("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "v1"},
    kind={"const": "Service"},
    metadata=METADATA,
    spec=fields(
        "ports",
        type={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
        selector=LABELS,
        ports=items(fields("port", name=PORT, port=PORT, targetPort=PORT, protocol={"enum": ["TCP", "UDP", "SCTP"]})),
    ),
)
