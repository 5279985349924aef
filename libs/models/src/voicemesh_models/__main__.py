"""Runs the `models` command: `python -m voicemesh_models`."""

from voicemesh_models.cli import main

if __name__ == "__main__":
    main()
