"""Wrong solutions that people really write, and right ones that are written differently.

The code takes the place of a marked region of ``pattern.py``.
"""

from __future__ import annotations

from patterns._kit.exercise import Alternative, Mistake

# What many keys have in common: the rows as tuples of texts, and a digest of one text per row.
ROWS = """
rows = list(zip(*([texts[i] if i >= 0 else None for i in codes] for codes, texts in parts)))
"""
DIGEST = """
digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
"""

MISTAKES = (
    Mistake(
        name="codes-of-the-batch",
        part="key",
        title="The key is made of the codes of this batch",
        why="A code only says which text came first here; digest the text that it stands for.",
        code={
            "ex-key": """
key = np.zeros(len(parts[0].codes), dtype=np.uint64)
for codes, texts in parts:
    key = key * np.uint64(len(texts) + 1) + (codes + 1).astype(np.uint64)
return key
"""
        },
    ),
    Mistake(
        name="python-hash",
        part="key",
        title="The key is Python's hash",
        why="Python salts hash() of text anew in each process: training and serving disagree. Use "
        "a digest, such as hashlib.blake2b.",
        code={
            "ex-key": ROWS
            + """
hashes = [hash(tuple(1 if text is None else hash(text) for text in row)) for row in rows]
return np.array([number % 2**64 for number in hashes], dtype=np.uint64)
"""
        },
    ),
    Mistake(
        name="joined-with-a-separator",
        part="key",
        title="The texts were joined with a separator",
        why='With "_" between them, "1_2" and "_3" is the same as "1" and "_2_3". Digest each part '
        "before combining, or write its length in front of it.",
        code={
            "ex-key": ROWS
            + """
texts = ["_".join("\\0" if text is None else text for text in row) for row in rows]
"""
            + DIGEST
        },
    ),
    Mistake(
        name="joined-without-a-separator",
        part="key",
        title="The texts were joined without a separator",
        why='"1" and "23" is then the same as "12" and "3".',
        code={
            "ex-key": ROWS
            + """
texts = ["".join("\\0" if text is None else text for text in row) for row in rows]
"""
            + DIGEST
        },
    ),
    Mistake(
        name="key-of-32-bits",
        part="key",
        title="The key has 32 bits",
        why="Of 100,000 combinations, two then share a key with a chance of two in three. Take 64 "
        "bits, such as hashlib.blake2b with digest_size=8.",
        code={
            "ex-key": ROWS
            + """
texts = [repr(tuple(row)).encode() for row in rows]
return np.array([int(hashlib.md5(text).hexdigest()[:8], 16) for text in texts], dtype=np.uint64)
"""
        },
    ),
    Mistake(
        name="order-lost",
        part="key",
        title="The digests were added up, and their order was lost",
        why="Sums and XOR are the same in any order, and XOR of a part with itself is 0. Mix the "
        "key between the parts, for instance by a multiplication.",
        code={
            "ex-key": """
key = np.zeros(len(parts[0].codes), dtype=np.uint64)
for codes, texts in parts:
    digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
    numbers = np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
    key ^= np.append(numbers, np.uint64(7))[codes]
return key
"""
        },
    ),
    Mistake(
        name="texts-tidied",
        part="key",
        title="The texts were tidied first",
        why="Whether a and A are one category is for those to say who know the data. Take texts as "
        "they are.",
        code={
            "ex-key": ROWS
            + """
rows = [repr([None if text is None else text.strip().lower() for text in row]) for row in rows]
texts = rows
"""
            + DIGEST
        },
    ),
    Mistake(
        name="missing-as-text",
        part="key",
        title="A missing part was written as the text nan",
        why="A category whose text is nan then shares its key. Give missing parts a number that no "
        "text is digested to.",
        code={
            "ex-key": ROWS
            + """
texts = [repr(tuple("nan" if text is None else str(text) for text in row)) for row in rows]
"""
            + DIGEST
        },
    ),
    Mistake(
        name="missing-as-empty",
        part="key",
        title="A missing part was taken for an empty text",
        why="Empty text is a category, too. Give missing parts a number of their own.",
        code={
            "ex-key": ROWS
            + """
texts = [repr(tuple("" if text is None else str(text) for text in row)) for row in rows]
"""
            + DIGEST
        },
    ),
    Mistake(
        name="all-combinations",
        part="vocabulary",
        title="The vocabulary holds all combinations that are possible",
        why="Most never occur: their columns are always zero, and of three columns with 100 "
        "categories each there are a million.",
        code={
            "ex-vocabulary": "return [int(codes.max(initial=0)) + 1 for codes in rows.T]",
            "ex-lookup": """
number = np.zeros(len(rows), dtype=int)
for codes, size in zip(rows.T, vocabulary):
    number = np.where((number >= 0) & (codes < size), number * size + codes, -1)
return number
""",
        },
    ),
    Mistake(
        name="fixed-base",
        part="vocabulary",
        title="The codes were joined like digits, with a fixed base",
        why="With the base 10, the codes 1, 12 and 2, 2 both give 22. The base must be greater "
        "than every code.",
        code={
            "ex-vocabulary": """
numbers = (rows * 10 ** np.arange(rows.shape[1])[::-1]).sum(axis=1)
return np.unique(numbers)
""",
            "ex-lookup": """
numbers = (rows * 10 ** np.arange(rows.shape[1])[::-1]).sum(axis=1)
known = {number: i for i, number in enumerate(vocabulary.tolist())}
return np.array([known.get(number, -1) for number in numbers.tolist()])
""",
        },
    ),
    Mistake(
        name="product-beyond-64-bits",
        part="vocabulary",
        title="The combinations were numbered all at once, beyond 64 bits",
        why="The product of the numbers of categories can exceed 64 bits, and numpy then forgets "
        "the first column without a word. Number the pairs of two columns after each step, or use "
        "tuples.",
        code={
            "ex-vocabulary": """
sizes = rows.max(axis=0, initial=0) + 1
factors = np.append(np.cumprod(sizes[::-1])[::-1][1:], 1)
return sizes, factors, np.unique(rows @ factors)
""",
            "ex-lookup": """
sizes, factors, learned = vocabulary
known = {number: i for i, number in enumerate(learned.tolist())}
found = np.array([known.get(number, -1) for number in (rows @ factors).tolist()], dtype=int)
return np.where((rows < sizes).all(axis=1), found, -1)
""",
        },
    ),
    Mistake(
        name="learned-while-transforming",
        part="vocabulary",
        title="The rows to find were numbered anew",
        why="The number of a combination then depends on the batch. Look it up in the vocabulary "
        "of the training rows.",
        code={"ex-lookup": "return np.unique(rows, axis=0, return_inverse=True)[1].ravel()"},
    ),
    Mistake(
        name="unseen-in-the-last-column",
        part="vocabulary",
        title="An unseen combination has the last number",
        why="An index of -1 counts from the end. Leave it at -1, which marks no column.",
        code={
            "ex-vocabulary": "return sorted(set(map(tuple, rows.tolist())))",
            "ex-lookup": """
known = {row: i for i, row in enumerate(vocabulary)}
return np.array([known.get(row, -1) % len(known) for row in map(tuple, rows.tolist())])
""",
        },
    ),
    Mistake(
        name="nearest-neighbor",
        part="vocabulary",
        title="An unseen combination has the number of its neighbor",
        why="searchsorted tells where a value would belong, not whether it is there.",
        code={
            "ex-lookup": """
number = np.zeros(len(rows), dtype=np.int64)
for codes, (size, pairs) in zip(rows.T, vocabulary):
    place = np.searchsorted(pairs, number * size + codes)
    number = np.minimum(place, len(pairs) - 2)
return number
"""
        },
    ),
    Mistake(
        name="greatest-of-nothing",
        part="vocabulary",
        title="The greatest code of no rows was asked for",
        why="If all combinations are rarer than min_frequency, there is no row to learn from, and "
        "max() raises. Give it a first value: codes.max(initial=0).",
        code={
            "ex-vocabulary": """
vocabulary, number = [], np.zeros(len(rows), dtype=np.int64)
for codes in rows.T:
    size = int(codes.max()) + 1
    number, pairs = pd.factorize(number * size + codes, sort=True)
    vocabulary.append((size, np.append(pairs, np.iinfo(np.int64).max)))
return vocabulary
"""
        },
    ),
    Mistake(
        name="unseen-halts",
        part="vocabulary",
        title="An unseen combination raises an error",
        why="New combinations occur every day; the model must answer by the main effects then.",
        code={
            "ex-vocabulary": "return sorted(set(map(tuple, rows.tolist())))",
            "ex-lookup": """
return np.array([vocabulary.index(row) for row in map(tuple, rows.tolist())])
""",
        },
    ),
    Mistake(
        name="new-category-wraps",
        part="vocabulary",
        title="A new category was taken for the first one of the next row",
        why="Joined by number * size + codes, a code of size or more gives the number of another "
        "combination. Compare codes with the size that was learned.",
        code={
            "ex-lookup": """
number = np.zeros(len(rows), dtype=np.int64)
for codes, (size, pairs) in zip(rows.T, vocabulary):
    pair = np.where(number >= 0, number * size + codes, -1)
    place = np.searchsorted(pairs, pair)
    number = np.where(pairs[place] == pair, place, -1)
return number
"""
        },
    ),
    Mistake(
        name="a-bin-too-few",
        part="bins",
        title="The last bin is never used",
        why="The remainder of a division by n is already between 0 and n - 1.",
        code={
            "ex-bins": """
found = [cross_keys(cross) % np.uint64(max(int(n_hash_bins) - 1, 1)) for cross in cells]
"""
        },
    ),
    Mistake(
        name="bins-rounded",
        part="bins",
        title="The bins were rounded, and the two at the ends hold half",
        why="Of the numbers from 0 to n - 1, rounding gives the ends half as much room. Cut the "
        "decimals off, or take the remainder.",
        code={
            "ex-bins": """
found = []
for cross in cells:
    shares = cross_keys(cross).astype(float) / 2.0**64
    found.append(np.rint(shares * (int(n_hash_bins) - 1)).astype(np.int64))
"""
        },
    ),
    Mistake(
        name="bins-by-position",
        part="bins",
        title="Combinations were numbered by their first appearance",
        why="The bin then depends on the other rows of the batch. Take the key.",
        code={
            "ex-bins": """
found = [pd.factorize(cross_keys(cross))[0] % int(n_hash_bins) for cross in cells]
"""
        },
    ),
    Mistake(
        name="bins-added-up",
        part="bins",
        title="Each part was hashed by itself, and the bins added up",
        why="With few bins the sums repeat, and the order of the parts is lost. Hash the key of "
        "the whole combination.",
        code={
            "ex-bins": """
found = []
for cross in cells:
    total = np.zeros(len(cross[0].codes), dtype=int)
    for codes, texts in cross:
        total += np.array([*(sum(map(ord, text)) for text in texts), 0])[codes]
    found.append(total % int(n_hash_bins))
"""
        },
    ),
    Mistake(
        name="bins-of-one-part",
        part="bins",
        title="Only the last part was hashed",
        why="That gives the bins of one column, whose effect the model has already.",
        code={
            "ex-bins": """
found = [cross_keys(cross[-1:]) % n_hash_bins for cross in cells]
"""
        },
    ),
    Mistake(
        name="no-collisions",
        part="law",
        title="Each cell was given a bin of its own as long as there are bins",
        why="Nobody hands out the bins: each cell draws one, whether it is taken or not.",
        code={"ex-law": "return np.minimum(1.0, bins / n_cells)"},
    ),
    Mistake(
        name="only-cells-alone",
        part="law",
        title="Only cells that share no bin were counted",
        why="Cells that share a bin keep their mean, and the mean is worth one cell.",
        code={"ex-law": "return (1 - 1 / bins) ** (n_cells - 1)"},
    ),
    Mistake(
        name="share-of-the-bins",
        part="law",
        title="The share of the bins in use was returned",
        why="With few bins nearly all are in use, and hold little. Relate bins in use to cells.",
        code={"ex-law": "return 1 - (1 - 1 / bins) ** n_cells"},
    ),
)

ALTERNATIVES = (
    Alternative(
        name="key of the texts with their lengths in front",
        code={
            "ex-key": ROWS
            + """
def part(text):
    return "-" if text is None else f"{len(text)}:{text}"

keys = [hashlib.sha256("".join(map(part, row)).encode()).digest()[:8] for row in rows]
return np.array([int.from_bytes(key, "big") for key in keys], dtype=np.uint64)
"""
        },
    ),
    Alternative(
        name="key of the row as JSON",
        code={
            "ex-key": ROWS
            + """
rows = [json.dumps([None if text is None else str(text) for text in row]) for row in rows]
keys = [hashlib.md5(row.encode()).hexdigest()[:16] for row in rows]
return np.array([int(key, 16) for key in keys], dtype=np.uint64)
"""
        },
    ),
    Alternative(
        name="key as a polynomial of digests",
        code={
            "ex-key": """
key = np.full(len(parts[0].codes), 14695981039346656037, dtype=np.uint64)
for codes, texts in parts:
    numbers = [
        int.from_bytes(hashlib.blake2b(t.encode(), digest_size=8).digest(), "big") for t in texts
    ]
    numbers = np.array([*numbers, 12345], dtype=np.uint64)
    key = key * np.uint64(1099511628211) + numbers[codes]
return key
"""
        },
    ),
    Alternative(
        name="vocabulary in order of appearance, in a dictionary",
        code={
            "ex-vocabulary": """
vocabulary = {}
for row in map(tuple, rows.tolist()):
    vocabulary.setdefault(row, len(vocabulary))
return vocabulary
""",
            "ex-lookup": """
return np.array([vocabulary.get(row, -1) for row in map(tuple, rows.tolist())], dtype=int)
""",
        },
    ),
    Alternative(
        name="vocabulary as a table, compared with each row",
        code={
            "ex-vocabulary": "return np.unique(rows, axis=0)",
            "ex-lookup": """
same = (rows[:, None] == vocabulary).all(axis=2)
at = np.arange(len(vocabulary))
return np.max(np.where(same, at, -1), axis=1, initial=-1)
""",
        },
    ),
    Alternative(
        name="bins from the high bits of the key",
        code={
            "ex-bins": """
found = []
for cross in cells:
    high = (cross_keys(cross) >> np.uint64(32)).astype(float)
    found.append((high / 2**32 * int(n_hash_bins)).astype(np.int64))
"""
        },
    ),
    Alternative(
        name="bins in a loop of Python integers",
        code={
            "ex-bins": """
found = [
    np.array([int(key) % int(n_hash_bins) for key in cross_keys(cross)]) for cross in cells
]
"""
        },
    ),
    Alternative(
        name="the law in the limit of many bins",
        code={"ex-law": "return -np.expm1(-n_cells / bins) * bins / n_cells"},
    ),
    Alternative(
        name="the law from the chance that a bin stays empty",
        code={
            "ex-law": """
empty = np.exp(n_cells * np.log1p(-1 / bins))
return (1 - empty) * bins / n_cells
"""
        },
    ),
)
