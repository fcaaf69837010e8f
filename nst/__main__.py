"""`python -m nst`, for where another tool's `nst` comes first on the PATH."""

from nst.cli import main

if __name__ == "__main__":
    main()
