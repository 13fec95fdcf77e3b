#!/usr/bin/env python3
"""release.py: makes dist/release/ of what `make plugin` (and `make jwt-check playground`) built.

Everything in it depends on the sources and the lock file alone: no time, no path, no order of a directory.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "dist/release"
NAME = "traefik-jwt-auth"
LOCAL = "plugins-local/src/github.com/traefik-jwt-auth"
# Zip files cannot say an earlier time.
EPOCH = (1980, 1, 1, 0, 0, 0)
ARTIFACTS = {
    # directory below plugins-local: module, manifest, features of cargo
    "jwt": ("plugin.wasm", ".traefik.yml", []),
    "jwt-offline": ("plugin-offline.wasm", "packaging/offline/.traefik.yml", ["--no-default-features"]),
}
# The other files of a release, with the target that their crates are built for; None is this machine.
COMMANDS = {
    "jwt-check-linux-amd64": "x86_64-unknown-linux-gnu",
    "jwt-check-linux-arm64": "aarch64-unknown-linux-gnu",
    "jwt-check-darwin-arm64": "aarch64-apple-darwin",
}
PAGE = "playground.html"


def cargo(*arguments):
    command = [os.environ.get("CARGO", "cargo"), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def metadata():
    return json.loads(cargo("metadata", "--locked", "--format-version", "1"))


def checksums():
    """SHA-256 of each crate's archive, as Cargo.lock has it."""
    lock = (ROOT / "Cargo.lock").read_text()
    found = re.findall(r'name = "(.+)"\nversion = "(.+)"\nsource = .*\nchecksum = "(.+)"', lock)
    return {(name, version): checksum for name, version, checksum in found}


def linked(packages, what, first=NAME):
    """The packages that are linked into a module or the command, `first` first."""
    tree = cargo("tree", "--locked", "-e", "normal,no-proc-macro", "--prefix", "none", *what)
    names = {tuple(line.replace(" (*)", "").split(" ")[:2]) for line in tree.splitlines() if line}
    chosen = [p for p in packages if (p["name"], "v" + p["version"]) in names]
    return sorted(chosen, key=lambda p: (p["name"] != first, p["name"], p["version"]))


def scripts_of_the_page():
    """The npm packages in the page, as components of its SBOM. Those it is only built with (`dev`) are not in it."""
    lock = json.loads((ROOT / "tools/playground/package-lock.json").read_text())["packages"]
    for place, package in sorted(lock.items()):
        if place == "" or package.get("dev"):
            continue
        name, number = place.removeprefix("node_modules/"), package["version"]
        algorithm, digest = package["integrity"].split("-", 1)
        purl = f"pkg:npm/{name.replace('@', '%40')}@{number}"
        yield {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": number,
            "purl": purl,
            "licenses": [{"expression": package["license"]}],
            "hashes": [{"alg": algorithm.replace("sha", "SHA-"), "content": base64.b64decode(digest).hex()}],
        }


def sbom(version, name, content, packages, others=()):
    """CycloneDX 1.5. Serial number and time are optional, and would differ from build to build."""
    sums = checksums()

    def component(package):
        name, number = package["name"], package["version"]
        entry = {
            "type": "library",
            "bom-ref": f"pkg:cargo/{name}@{number}",
            "name": name,
            "version": number,
            "purl": f"pkg:cargo/{name}@{number}",
            "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        }
        if (name, number) in sums:
            entry["hashes"] = [{"alg": "SHA-256", "content": sums[name, number]}]
        return entry

    own, *crates = packages
    known = {p["name"]: f"pkg:cargo/{p['name']}@{p['version']}" for p in packages}
    digest = hashlib.sha256(content).hexdigest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                **component(own),
                "type": "application",
                "name": f"{NAME}/{name}",
                "version": version,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": [*(component(p) for p in crates), *others],
        "dependencies": [
            {
                "ref": known[p["name"]],
                "dependsOn": sorted({known[d["name"]] for d in p["dependencies"] if d["kind"] is None and d["name"] in known}),
            }
            for p in packages
        ],
    }


def write_sbom(name, bom):
    (OUT / f"{name}.cdx.json").write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n")


def licences(packages):
    """The texts that their licences ask to be passed on."""
    parts = [f"{NAME} is linked with these crates. Their licences:\n"]
    for package in packages:
        if package["source"] is None:
            continue
        directory = Path(package["manifest_path"]).parent
        texts = sorted(p for p in directory.iterdir() if re.match(r"(?i)(licen[cs]e|copying|notice)", p.name) and p.is_file())
        parts.append(f"{'=' * 80}\n{package['name']} {package['version']}: {package['license']}\n")
        parts += [f"--- {path.name}\n{path.read_text(errors='replace').strip()}\n" for path in texts]
    return "\n".join(parts)


def notes(version):
    """The part of the changelog about this version."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    match = re.search(rf"^## {re.escape(version)}\b.*?\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if not match:
        sys.exit(f"error: CHANGELOG.md has no section {version}")
    return match.group(1).strip() + "\n"


def make_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)


def make_tar(path, files):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(plain.getvalue())


def main():
    facts = metadata()
    packages = facts["packages"]
    [own] = [p for p in packages if p["name"] == NAME]
    version = own["version"]
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for directory, (module, manifest, features) in ARTIFACTS.items():
        crates = linked(packages, ["--target", "wasm32-wasip1", *features])
        files = {
            ".traefik.yml": (ROOT / manifest).read_bytes(),
            "plugin.wasm": (ROOT / "dist" / module).read_bytes(),
            "icon.png": (ROOT / "icon.png").read_bytes(),
            "LICENSE": (ROOT / "LICENSE").read_bytes(),
            "LICENSES-OF-CRATES.txt": licences(crates).encode(),
        }
        for name, content in files.items():
            path = OUT / LOCAL / directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        local = {f"{LOCAL}/{directory}/{name}": content for name, content in files.items()}
        make_tar(OUT / f"{NAME}-{directory.replace('jwt', 'local')}-v{version}.tar.gz", local)
        # The catalog takes exactly one zip of a release.
        if directory == "jwt":
            make_zip(OUT / f"{NAME}-v{version}.zip", files)
        write_sbom(module, sbom(version, module, files["plugin.wasm"], crates))
    commands = {path.name: path for path in sorted((ROOT / "dist").glob("jwt-check-*"))}
    page = ROOT / "dist/playground/index.html"
    if page.exists():
        commands[PAGE] = page
    every = {}
    for name, path in commands.items():
        target = "wasm32-wasip1" if name == PAGE else COMMANDS.get(name)
        crates = linked(packages, ["-p", "jwt-check", *(["--target", target] if target else [])], "jwt-check")
        every |= {(crate["name"], crate["version"]): crate for crate in crates}
        shutil.copy(path, OUT / name)
        more = scripts_of_the_page() if name == PAGE else ()
        write_sbom(name, sbom(version, name, path.read_bytes(), crates, more))
    if every:
        # The page has the licences of its scripts in it.
        texts = licences([crate for _, crate in sorted(every.items())])
        (OUT / "LICENSES-OF-CRATES-jwt-check.txt").write_text(texts)
    (OUT / "RELEASE_NOTES.md").write_text(notes(version))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(OUT)}\n"
        for path in sorted(OUT.iterdir())
        if path.is_file()
    ]
    (OUT / "SHA256SUMS").write_text("".join(sums))
    for path in sorted(OUT.iterdir()):
        if path.is_file():
            print(f"== dist/release/{path.name}: {path.stat().st_size} bytes", file=sys.stderr)


main()
