"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

# Right answers, to be changed in one place.
SPLIT = """
good, answers, bad = [], [], {}

def ask(some):
    if len(some) == 0:
        return
    try:
        found = predict(model, rows.take(some))
    except ValueError as error:
        blamed = blame(error)
        if blamed:
            for i, reason in blamed.items():
                bad[int(some[i])] = reason
            ask(np.array([row for i, row in enumerate(some) if i not in blamed], dtype=int))
        elif len(some) == 1:
            bad[int(some[0])] = str(error)
        else:
            ask(some[: len(some) // 2])
            ask(some[len(some) // 2 :])
        return
    for row, answer in zip(some, found):
        if np.isfinite(answer):
            good.append(int(row))
            answers.append(float(answer))
        else:
            bad[int(row)] = f"the model answers {answer}"

ask(np.arange(rows.num_rows))
return np.array(good, dtype=int), np.array(answers, dtype=float), bad
"""
STREAM = """
for chunk in chunks:
    well = [i for i in range(chunk.rows.num_rows) if i not in chunk.bad]
    rows = chunk.rows.take(pa.array(well, pa.int64()))
    good, answers, found = split(model, rows.select(list(model.schema)))
    bad = dict(chunk.bad)
    for i, reason in found.items():
        bad[well[i]] = reason
    order = sorted(bad)
    yield Scored(
        rows.take(good).select(list(key)),
        answers,
        {first_row + i: bad[i] for i in order},
        chunk.rows.take(pa.array(order, pa.int64())),
    )
    first_row += chunk.rows.num_rows
"""
COMMIT = """
sums = {}
for kind, (_, suffix) in FILES.items():
    file, place = written / f"{kind}{suffix}", job.path(part, kind)
    if file.exists():
        flush(file)
        sums[kind] = checksum(file)
        os.replace(file, place)
    elif place.exists():
        place.unlink()
whole = {**manifest, "checksums": sums, "scored_at": time.time()}
file = written / "manifest.json"
file.write_text(json.dumps(whole), "utf-8")
flush(file)
os.replace(file, job.manifest(part))
return whole
"""
COMMITTED = """
try:
    manifest = json.loads(job.manifest(part).read_text("utf-8"))
except (OSError, ValueError):
    return None
if manifest["fingerprint"] != part.fingerprint:
    return None
if manifest["model_version"] != version:
    return None
if job.on_error == "stop" and (manifest["quarantined"] or manifest["refused"]):
    return None
found = {kind: checksum(job.path(part, kind)) for kind in FILES if job.path(part, kind).exists()}
return manifest if found == manifest["checksums"] else None
"""


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """An answer with a slip, or several."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


MISTAKES = (
    Mistake(
        name="one-copy",
        part="chunk",
        title="One copy of each row was counted",
        why="A row is in memory several times: as read, typed, as features. Divide by COPIES.",
        code={
            "ex-chunk": """
affordable = max(1, int(memory / bytes_per_row))
return min(MOST_ROWS, 2 ** (affordable.bit_length() - 1))
"""
        },
    ),
    Mistake(
        name="always-the-most",
        part="chunk",
        title="A chunk always has MOST_ROWS rows",
        why="Rows may be wide and memory small: look at bytes_per_row and memory.",
        code={"ex-chunk": "return MOST_ROWS"},
    ),
    Mistake(
        name="all-that-fits",
        part="chunk",
        title="The number was not rounded to a power of two",
        why="Row groups have sizes like 65,536: with other chunks, a small rest remains of each.",
        code={
            "ex-chunk": """
return min(MOST_ROWS, max(1, int(memory / (COPIES * bytes_per_row))))
"""
        },
    ),
    Mistake(
        name="rounded-up",
        part="chunk",
        title="The number was rounded up",
        why="The next power of two needs up to twice the memory that is there.",
        code={
            "ex-chunk": """
affordable = max(1, int(memory / (COPIES * bytes_per_row)))
return min(MOST_ROWS, 2 ** (affordable - 1).bit_length())
"""
        },
    ),
    Mistake(
        name="no-upper-end",
        part="chunk",
        title="A chunk may have any number of rows",
        why="Beyond MOST_ROWS nothing is faster, and all memory is used for nothing.",
        code={
            "ex-chunk": """
affordable = max(1, int(memory / (COPIES * bytes_per_row)))
return 2 ** (affordable.bit_length() - 1)
"""
        },
    ),
    Mistake(
        name="no-row",
        part="chunk",
        title="Where no row fits, the chunk has no row",
        why="Then nothing is ever read. Score such a row alone.",
        code={
            "ex-chunk": """
affordable = int(memory / (COPIES * bytes_per_row))
return min(MOST_ROWS, 2 ** (affordable.bit_length() - 1)) if affordable else 0
"""
        },
    ),
    Mistake(
        name="silence-blames-all",
        part="split",
        title="Where the error names no row, all rows are called bad",
        why="Most models do not say which row was wrong. Ask for each half, and so on.",
        code={
            "ex-split": changed(
                SPLIT,
                ("elif len(some) == 1:", "else:"),
                (
                    (
                        "bad[int(some[0])] = str(error)\n        else:\n"
                        "            ask(some[: len(some) // 2])\n"
                        "            ask(some[len(some) // 2 :])"
                    ),
                    "bad.update({int(row): str(error) for row in some})",
                ),
            )
        },
    ),
    Mistake(
        name="all-are-bad",
        part="split",
        title="One bad row makes all rows bad",
        why="The others have answers: ask for them again, without the bad one.",
        code={
            "ex-split": """
try:
    answers = predict(model, rows)
except ValueError as error:
    return np.empty(0, int), np.empty(0), dict.fromkeys(range(rows.num_rows), str(error))
good = np.flatnonzero(np.isfinite(answers))
bad = {i: "not finite" for i in range(rows.num_rows) if i not in good}
return good, answers[good], bad
"""
        },
    ),
    Mistake(
        name="position-in-the-half",
        part="split",
        title="A position in a half was taken for one in the chunk",
        why="The first row of the right half is not row 0: keep the positions beside the rows.",
        code={
            "ex-split": changed(
                SPLIT,
                ("bad[int(some[0])] = str(error)", "bad[0] = str(error)"),
            )
        },
    ),
    Mistake(
        name="named-rows-only",
        part="split",
        title="The rows that the error names were taken for all bad rows",
        why="An error may name the first one only: ask again, and be ready for the next error.",
        code={
            "ex-split": """
bad = {}
well = np.arange(rows.num_rows)
try:
    if len(well) > 0:
        predict(model, rows)
except ValueError as error:
    bad = blame(error)
    if not bad:
        middle = rows.num_rows // 2
        if middle == 0:
            return np.empty(0, int), np.empty(0), {0: str(error)}
        a, x, wrong = split(model, rows.slice(0, middle))
        b, y, more = split(model, rows.slice(middle))
        more = {middle + i: reason for i, reason in more.items()}
        return np.append(a, b + middle), np.append(x, y), wrong | more
    well = np.delete(well, list(bad))
answers = predict(model, rows.take(well)) if len(well) else np.empty(0)
finite = np.isfinite(answers)
bad |= {int(i): "not finite" for i in well[~finite]}
return well[finite], answers[finite], bad
"""
        },
    ),
    Mistake(
        name="nan-is-an-answer",
        part="split",
        title="NaN and infinity were passed on as answers",
        why="A table of predictions with NaN fails later, where nobody knows the row any more.",
        code={"ex-split": changed(SPLIT, ("if np.isfinite(answer):", "if True:"))},
    ),
    Mistake(
        name="mean-of-the-chunk",
        part="split",
        title="Where there is no answer, the mean of the chunk was taken",
        why="The same row would have another answer in another chunk. Learn from many rows in "
        "training only.",
        code={
            "ex-split": changed(
                SPLIT,
                (
                    "for row, answer in zip(some, found):",
                    (
                        "well = np.isfinite(found)\n"
                        "    mean = found[well].mean() if well.any() else 0.0\n"
                        "    found = np.where(well, found, mean)\n"
                        "    for row, answer in zip(some, found):"
                    ),
                ),
            )
        },
    ),
    Mistake(
        name="every-error-is-caught",
        part="split",
        title="Any error was taken for a bad row",
        why="With a fault in its code, the model would put a million good rows aside in silence. "
        "Catch ValueError only.",
        code={"ex-split": changed(SPLIT, ("except ValueError as", "except Exception as"))},
    ),
    Mistake(
        name="one-call-per-row",
        part="split",
        title="The model is called for each row",
        why="Ask for all rows at once, and for fewer only where that fails.",
        code={
            "ex-split": """
good, answers, bad = [], [], {}
for row in range(rows.num_rows):
    try:
        (answer,) = predict(model, rows.slice(row, 1))
    except ValueError as error:
        bad[row] = str(error)
        continue
    if np.isfinite(answer):
        good.append(row)
        answers.append(answer)
    else:
        bad[row] = f"the model answers {answer}"
return np.array(good, int), np.array(answers, float), bad
"""
        },
    ),
    Mistake(
        name="row-by-row-after-an-error",
        part="split",
        title="After an error, the model is called for each row",
        why="One bad row makes the chunk a thousand times slower. Ask for each half instead.",
        code={
            "ex-split": changed(
                SPLIT,
                (
                    "ask(some[: len(some) // 2])\n            ask(some[len(some) // 2 :])",
                    "for i in range(len(some)):\n                ask(some[i : i + 1])",
                ),
            )
        },
    ),
    Mistake(
        name="asked-without-rows",
        part="split",
        title="The model was called without rows",
        why="Many models refuse that with an error. Without rows there is nothing to ask.",
        code={
            "ex-split": changed(
                SPLIT,
                ("if len(some) == 0:", "if len(some) == 0 and rows.num_rows:"),
                ("elif len(some) == 1:", "elif len(some) <= 1:"),
            )
        },
    ),
    Mistake(
        name="order-assumed",
        part="stream",
        title="The first keys were taken for the answers",
        why="After a bad row, all answers would belong to other keys. Take the keys of the rows "
        "that have an answer.",
        code={
            "ex-stream": changed(
                STREAM,
                (
                    "rows.take(good).select(list(key))",
                    "rows.slice(0, len(good)).select(list(key))",
                ),
            )
        },
    ),
    Mistake(
        name="readers-bad-rows-lost",
        part="stream",
        title="The rows that the reader calls bad are nowhere",
        why="They are not scored and not put aside, so the counts do not add up.",
        code={"ex-stream": changed(STREAM, ("bad = dict(chunk.bad)", "bad = {}"))},
    ),
    Mistake(
        name="counted-twice",
        part="stream",
        title="The rows that the reader calls bad are scored too",
        why="They are in both places then, and counted twice. Take them out before you ask.",
        code={
            "ex-stream": changed(
                STREAM,
                (
                    "for i in range(chunk.rows.num_rows) if i not in chunk.bad",
                    "for i in range(chunk.rows.num_rows)",
                ),
                ("rows = chunk.rows.take(pa.array(well, pa.int64()))", "rows = chunk.rows"),
            )
        },
    ),
    Mistake(
        name="positions-among-the-well",
        part="stream",
        title="A position among the good rows was taken for one in the chunk",
        why="The reader's bad rows were taken out before, so the others have moved up.",
        code={"ex-stream": changed(STREAM, ("bad[well[i]] = reason", "bad[i] = reason"))},
    ),
    Mistake(
        name="reasons-in-another-order",
        part="stream",
        title="The reader's bad rows come first, then those of the model",
        why="Put them in the order of the file, so that each reason has its row beside it.",
        code={"ex-stream": changed(STREAM, ("order = sorted(bad)", "order = list(bad)"))},
    ),
    Mistake(
        name="reasons-beside-other-rows",
        part="stream",
        title="The reasons and the rows are in different orders",
        why="Sort both by position, or the reason stands beside another row.",
        code={
            "ex-stream": changed(
                STREAM,
                ("{first_row + i: bad[i] for i in order}", "{first_row + i: bad[i] for i in bad}"),
            )
        },
    ),
    Mistake(
        name="numbered-in-the-chunk",
        part="stream",
        title="Rows are numbered anew in each chunk",
        why="After each chunk, go on from the number of its rows.",
        code={"ex-stream": changed(STREAM, ("    first_row += chunk.rows.num_rows\n", ""))},
    ),
    Mistake(
        name="numbered-by-scored-rows",
        part="stream",
        title="Only scored rows are counted in the row numbers",
        why="Bad rows are rows of the file too.",
        code={
            "ex-stream": changed(
                STREAM, ("first_row += chunk.rows.num_rows", "first_row += len(good)")
            )
        },
    ),
    Mistake(
        name="numbered-from-zero",
        part="stream",
        title="The numbers begin at 0, not at first_row",
        why="A partition may begin in the middle of a file.",
        code={"ex-stream": "first_row = 0\n" + STREAM},
    ),
    Mistake(
        name="all-chunks-first",
        part="stream",
        title="All chunks are read before the first is passed on",
        why="Then the whole table is in memory. Yield each result before you take the next chunk.",
        code={"ex-stream": changed(STREAM, ("for chunk in chunks:", "for chunk in list(chunks):"))},
    ),
    Mistake(
        name="row-by-row",
        part="stream",
        title="The rows of a chunk are scored one by one",
        why="Each call has a fixed cost: give all rows of the chunk to split at once.",
        code={
            "ex-stream": changed(
                STREAM,
                (
                    "good, answers, found = split(model, rows.select(list(model.schema)))",
                    (
                        "inputs = rows.select(list(model.schema))\n"
                        "    good, answers, found = [], [], {}\n"
                        "    for row in range(rows.num_rows):\n"
                        "        one, answer, wrong = split(model, inputs.slice(row, 1))\n"
                        "        good += [row] * len(one)\n"
                        "        answers += list(answer)\n"
                        "        found |= {row: reason for reason in wrong.values()}\n"
                        "    good = pa.array(good, pa.int64())"
                    ),
                ),
            )
        },
    ),
    Mistake(
        name="removed-last",
        part="commit",
        title="Files of an earlier run were removed after the manifest was there",
        why="After a kill in between they stay, and the manifest knows nothing of them.",
        code={
            "ex-commit": changed(
                COMMIT,
                ("    elif place.exists():\n        place.unlink()\n", ""),
                (
                    "return whole",
                    (
                        "for kind in set(FILES) - set(sums):\n"
                        "    job.path(part, kind).unlink(missing_ok=True)\n"
                        "return whole"
                    ),
                ),
            )
        },
    ),
    Mistake(
        name="earlier-files-stay",
        part="commit",
        title="A file of an earlier run stays in its place",
        why="Bad rows of that run are counted again. Remove what this run does not have.",
        code={
            "ex-commit": changed(COMMIT, ("    elif place.exists():\n        place.unlink()\n", ""))
        },
    ),
    Mistake(
        name="appended",
        part="commit",
        title="The new rows were appended to the file of an earlier run",
        why="Each run that goes on would double rows. A partition has its own files: replace them.",
        code={
            "ex-commit": changed(
                COMMIT,
                (
                    "os.replace(file, place)",
                    'place.open("ab").write(file.read_bytes())',
                ),
            )
        },
    ),
    Mistake(
        name="predictions-only",
        part="commit",
        title="Only the predictions were brought into their place",
        why="The bad rows and the keys belong to the partition: go through FILES.",
        code={
            "ex-commit": changed(
                COMMIT,
                ("in FILES.items():", 'in [("predictions", FILES["predictions"])]:'),
            )
        },
    ),
    Mistake(
        name="sum-of-what-was-there",
        part="commit",
        title="The checksums are those of what was there before",
        why="Take the checksum of the new file, before or after it is renamed.",
        code={
            "ex-commit": changed(
                COMMIT,
                (
                    "sums[kind] = checksum(file)",
                    "sums[kind] = checksum(place) if place.exists() else None",
                ),
            )
        },
    ),
    Mistake(
        name="entries-lost",
        part="commit",
        title="The manifest lacks the entries that were given",
        why="Without the fingerprint and the version of the model, nobody knows what was scored.",
        code={
            "ex-commit": changed(COMMIT, ('{**manifest, "checksums": sums,', '{"checksums": sums,'))
        },
    ),
    Mistake(
        name="flushed-after",
        part="commit",
        title="Files were visible before they were flushed",
        why="The name may reach the disk before the content. Flush the new file, then rename it.",
        code={
            "ex-commit": changed(
                COMMIT,
                ("        flush(file)\n", ""),
                ("os.replace(file, place)", "os.replace(file, place)\n        flush(place)"),
            )
        },
    ),
    Mistake(
        name="copied",
        part="commit",
        title="Files were copied into their places",
        why="A copy grows byte by byte under the name that readers see. os.replace is atomic.",
        code={
            "ex-commit": changed(
                COMMIT,
                (
                    "os.replace(file, place)",
                    "shutil.copyfile(file, place)\n        flush(place)",
                ),
            )
        },
    ),
    Mistake(
        name="manifest-in-place",
        part="commit",
        title="The manifest was written in its place",
        why="A kill leaves half of it. Write it beside the other new files, and rename it.",
        code={
            "ex-commit": changed(
                COMMIT,
                ('file = written / "manifest.json"', "file = job.manifest(part)"),
                ("os.replace(file, job.manifest(part))", "pass"),
            )
        },
    ),
    Mistake(
        name="manifest-first",
        part="commit",
        title="The manifest came before the files",
        why="A kill in between leaves a partition that says it is whole, and is not.",
        code={
            "ex-commit": """
new = {kind: written / f"{kind}{suffix}" for kind, (_, suffix) in FILES.items()}
new = {kind: file for kind, file in new.items() if file.exists()}
sums = {kind: checksum(file) for kind, file in new.items()}
whole = {**manifest, "checksums": sums, "scored_at": time.time()}
file = written / "manifest.json"
file.write_text(json.dumps(whole), "utf-8")
flush(file)
os.replace(file, job.manifest(part))
for kind in FILES:
    if kind in new:
        flush(new[kind])
        os.replace(new[kind], job.path(part, kind))
    else:
        job.path(part, kind).unlink(missing_ok=True)
return whole
"""
        },
    ),
    Mistake(
        name="not-flushed",
        part="commit",
        title="Nothing was flushed",
        why="A rename can reach the disk before the content does. Call flush before os.replace.",
        code={"ex-commit": changed(COMMIT, ("flush(file)", "pass"))},
    ),
    Mistake(
        name="never-committed",
        part="commit",
        title="Nothing is ever taken for committed",
        why="The job would begin anew after each kill.",
        code={"ex-committed": "return None"},
    ),
    Mistake(
        name="manifest-expected",
        part="commit",
        title="A manifest is expected",
        why="A new partition has none. Return None when it is missing, or cannot be read.",
        code={
            "ex-committed": changed(
                COMMITTED, ("except (OSError, ValueError):", "except ZeroDivisionError:")
            )
        },
    ),
    Mistake(
        name="done-because-it-exists",
        part="commit",
        title="A partition was taken for done because its files exist",
        why="A file that was cut off exists too. Compare its checksum with that in the manifest.",
        code={
            "ex-committed": changed(
                COMMITTED,
                (
                    "return manifest if found == manifest",
                    "return manifest if set(found) == set(manifest",
                ),
                ('["checksums"] else', '["checksums"]) else'),
            )
        },
    ),
    Mistake(
        name="done-because-of-the-manifest",
        part="commit",
        title="A partition was taken for done because it has a manifest",
        why="Its files may be gone or damaged since. Compare their checksums.",
        code={
            "ex-committed": changed(COMMITTED, ('if found == manifest["checksums"] else None', ""))
        },
    ),
    Mistake(
        name="only-predictions-compared",
        part="commit",
        title="Only the predictions were compared",
        why="The bad rows and the keys belong to the result too: go through FILES.",
        code={
            "ex-committed": changed(
                COMMITTED,
                (
                    'found == manifest["checksums"]',
                    'found.get("predictions") == manifest["checksums"].get("predictions")',
                ),
            )
        },
    ),
    Mistake(
        name="unknown-files-overlooked",
        part="commit",
        title="A file that the manifest does not know was overlooked",
        why="Bad rows of an earlier run would be read as those of this one.",
        code={
            "ex-committed": changed(
                COMMITTED,
                (
                    'found == manifest["checksums"]',
                    'manifest["checksums"].items() <= found.items()',
                ),
            )
        },
    ),
    Mistake(
        name="input-not-compared",
        part="commit",
        title="The input was not compared",
        why="Rows that have changed since keep their old answers. Compare the fingerprints.",
        code={
            "ex-committed": changed(
                COMMITTED, ('manifest["fingerprint"] != part.fingerprint', "False")
            )
        },
    ),
    Mistake(
        name="model-not-compared",
        part="commit",
        title="The version of the model was not compared",
        why="The table would have the answers of two models.",
        code={
            "ex-committed": changed(COMMITTED, ('manifest["model_version"] != version', "False"))
        },
    ),
    Mistake(
        name="quarantine-taken",
        part="commit",
        title="A job that stops at bad rows took a partition that has some",
        why="It would end without the error that it must raise. Score the partition again.",
        code={"ex-committed": changed(COMMITTED, ('job.on_error == "stop" and', "False and"))},
    ),
    Mistake(
        name="quarantine-never-taken",
        part="commit",
        title="A partition with bad rows was never taken",
        why="A job that puts bad rows aside has committed it so, and would do it again each time.",
        code={"ex-committed": changed(COMMITTED, ('job.on_error == "stop" and ', ""))},
    ),
)

ALTERNATIVES = (
    Alternative(
        name="doubled as long as it fits",
        code={
            "ex-chunk": """
rows = 1
while rows < MOST_ROWS and 2 * rows * COPIES * bytes_per_row <= memory:
    rows *= 2
return rows
""",
            "ex-split": SPLIT,
            "ex-stream": STREAM,
            "ex-commit": COMMIT,
            "ex-committed": COMMITTED,
        },
    ),
    Alternative(
        name="the logarithm, and bad rows told by a mask",
        code={
            "ex-chunk": """
fit = memory // (COPIES * bytes_per_row)
return int(2 ** np.floor(np.log2(np.clip(fit, 1, MOST_ROWS))))
""",
            "ex-split": """
n = rows.num_rows
answers, bad = np.full(n, np.nan), {}
stack = [(0, n)] if n else []
while stack:
    first, end = stack.pop()
    left = np.array([i for i in range(first, end) if i not in bad], int)
    while len(left):
        try:
            answers[left] = predict(model, rows.take(left))
            break
        except ValueError as error:
            blamed = blame(error)
            if not blamed and len(left) == 1:
                blamed = {0: repr(error)}
            if not blamed:
                stack += [(int(left[0]), int(left[len(left) // 2]))]
                stack += [(int(left[len(left) // 2]), int(left[-1]) + 1)]
                break
            for i, reason in blamed.items():
                bad[int(left[i])] = reason
            left = np.delete(left, list(blamed))
for i in range(n):
    if i not in bad and not np.isfinite(answers[i]):
        bad[i] = "no finite answer"
good = np.array([i for i in range(n) if i not in bad], int)
return good, answers[good], bad
""",
            "ex-stream": """
start = first_row
for chunk in chunks:
    n = chunk.rows.num_rows
    fine = np.ones(n, bool)
    fine[list(chunk.bad)] = False
    rows = chunk.rows.filter(pa.array(fine))
    numbers = np.flatnonzero(fine)
    good, answers, refused = split(model, rows.select(list(model.schema)))
    reasons = {**chunk.bad, **{int(numbers[i]): refused[i] for i in refused}}
    fine[list(reasons)] = False
    keys = chunk.rows.filter(pa.array(fine)).select(list(key))
    told = {start + i: reasons[i] for i in range(n) if i in reasons}
    yield Scored(keys, answers, told, chunk.rows.filter(pa.array(~fine)))
    start += n
""",
        },
    ),
    Alternative(
        name="the old manifest goes first",
        code={
            "ex-commit": """
job.manifest(part).unlink(missing_ok=True)
new = {kind: written / f"{kind}{FILES[kind][1]}" for kind in FILES}
new = {kind: file for kind, file in new.items() if file.is_file()}
for kind in FILES:
    if kind not in new:
        job.path(part, kind).unlink(missing_ok=True)
for kind, file in new.items():
    flush(file)
    file.replace(job.path(part, kind))
sums = {kind: checksum(job.path(part, kind)) for kind in new}
result = dict(manifest, checksums=sums, scored_at=time.time())
file = written / "m"
with file.open("w", encoding="utf-8") as out:
    json.dump(result, out, indent=1)
    out.flush()
    os.fsync(out.fileno())
file.rename(job.manifest(part))
return result
""",
            "ex-committed": """
path = job.manifest(part)
if not path.exists():
    return None
with path.open(encoding="utf-8") as file:
    try:
        told = json.load(file)
    except json.JSONDecodeError:
        return None
wanted = {"fingerprint": part.fingerprint, "model_version": version}
if any(told[name] != value for name, value in wanted.items()):
    return None
if job.on_error != "quarantine" and (told["quarantined"] > 0 or told["refused"] is not None):
    return None
for kind in FILES:
    place = job.path(part, kind)
    if place.exists() != (kind in told["checksums"]):
        return None
    if place.exists() and hashlib.sha256(place.read_bytes()).hexdigest() != told["checksums"][kind]:
        return None
return told
""",
        },
    ),
)
