"""``python -m patterns`` is the `patterns` command."""

from patterns._kit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
