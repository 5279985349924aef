"""The coqui engine: VITS voices, XTTS with cloning, and the other models of coqui-tts.

* `engine` is `ports.VoiceEngine` and `ports.VoiceCloner`: which voices there are, who is loaded
* `installed` finds models on disk, `published` those that coqui-tts knows by name
* `vits`, `xtts` and `spectrogram` speak; `reading` and `espeak` turn words into a voice's symbols
* `latents` keeps cloned voices; `library` is the one place where torch and coqui-tts are set up

torch and coqui-tts are optional (the extra `coqui`) and are imported when a model is loaded, not
before: every module here can be imported without them.
"""

from voicemesh_tts.engines.coqui.engine import CoquiEngine
from voicemesh_tts.engines.coqui.options import CoquiOptions

__all__ = ("CoquiEngine", "CoquiOptions")
