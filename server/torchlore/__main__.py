"""`python -m torchlore` is the command line."""

from torchlore.cli.app import main

if __name__ == "__main__":
    main()
