"""What the image is made of, as CycloneDX JSON: the locked Python packages, and the Java libraries inside multi-model-server's jar."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

SCHEMA = SchemaVersion.V1_6
# Those that the jar does not name itself: by where their classes lie, as multi-model-server's gradle.properties has them at the commit that
# its version 1.1.11 was built from (44075988). Whoever locks another version looks again: a test holds the jar's hash.
JAR_SHA256 = "9363acf1b1b625019ebe54d6c650fdea350333d6d1fc6b5f9ee208275a3ea4ed"
LIBRARIES = {
    "com/google/gson/": ("com.google.code.gson", "gson", "2.8.9"),
    "com/lmax/disruptor/": ("com.lmax", "disruptor", "3.4.4"),
    "org/apache/commons/cli/": ("commons-cli", "commons-cli", "1.3.1"),
    "org/apache/commons/io/": ("commons-io", "commons-io", "2.6"),
    "org/apache/logging/log4j/core/": ("org.apache.logging.log4j", "log4j-core", "2.17.1"),
    "org/apache/logging/log4j/": ("org.apache.logging.log4j", "log4j-api", "2.17.1"),
    "org/apache/logging/slf4j/": ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.17.1"),
    "org/slf4j/": ("org.slf4j", "slf4j-api", "1.7.32"),
    "software/amazon/ai/mms/": ("software.amazon.ai", "mms-plugins-sdk", "1.0.1"),
}
OF_THE_SERVER = "com/amazonaws/ml/mms/"
OF_NETTY = "io/netty/"
_NETTY_VERSIONS = "META-INF/io.netty.versions.properties"


@dataclass(frozen=True)
class Locked:
    """A line of a lock file with its hashes (SHA-256, one for each file that may be installed). ``marker``: where it is installed."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]


def locked_packages(lock: Path) -> list[Locked]:
    """Returns what a lock file with hashes installs, in its order."""
    found = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8")):
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; (.+?))? *\\\n", block):
            found.append(Locked(match[1], match[2], match[3], tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))))
    return found


def java_libraries(jar: Path) -> Iterator[tuple[str, str, str]]:
    """Yields (group, name, version) of each library in multi-model-server's jar, the same each time.

    Raises ``ValueError`` where there are classes of a library that this module does not know.
    """
    with zipfile.ZipFile(jar) as archive:
        names = [name for name in archive.namelist() if name.endswith(".class") and "module-info" not in name]
        # Each of netty's modules has brought a file of that name.
        texts = [archive.read(entry).decode("utf-8") for entry in archive.infolist() if entry.filename == _NETTY_VERSIONS]
    netty = {match for text in texts for match in re.findall(r"^([a-z0-9-]+)\.version=(\S+)$", text, re.MULTILINE)}
    known = (*LIBRARIES, OF_THE_SERVER, OF_NETTY)
    places = {re.sub(r"^META-INF/versions/\d+/", "", name) for name in names}
    if strange := sorted(place for place in places if not place.startswith(known)):
        raise ValueError(f"{jar.name} has classes of a library that is not known: {strange[0]}")
    yield from sorted(("io.netty", name, version) for name, version in netty)
    yield from (library for prefix, library in LIBRARIES.items() if any(place.startswith(prefix) for place in places))


def bill_of_materials(lock: Path, jar: Path) -> str:
    """Returns the bill as CycloneDX JSON. A package that only another system installs has the scope ``excluded``."""
    bom = Bom()
    for package in locked_packages(lock):
        elsewhere = package.marker is not None and "sys_platform" in package.marker
        component = Component(
            name=package.name,
            version=package.version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, package.name.lower(), package.version),
            bom_ref=f"{package.name}=={package.version}",
            scope=ComponentScope.EXCLUDED if elsewhere else ComponentScope.REQUIRED,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.hashes],
            properties=[] if package.marker is None else [Property(name="python:marker", value=package.marker)],
        )
        if package.name == "multi-model-server":
            component.components.add(_jar(jar))
        bom.components.add(component)
    return str(make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=2))


def _jar(jar: Path) -> Component:
    digest = hashlib.sha256(jar.read_bytes()).hexdigest()
    inside = [
        Component(
            name=name,
            group=group,
            version=version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("maven", group, name, version),
            bom_ref=f"{group}:{name}",
        )
        for group, name, version in java_libraries(jar)
    ]
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
    return Component(name=jar.name, type=ComponentType.FILE, bom_ref=jar.name, hashes=hashes, components=inside)
