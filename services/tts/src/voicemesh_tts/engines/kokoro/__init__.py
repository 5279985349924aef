"""The Kokoro engine: one small network (StyleTTS 2), as many voices as there are styles.

| module | what it knows |
| --- | --- |
| `engine` | the port: voices, loading, speaking |
| `network` | the ONNX graph: symbols and a style in, sound and the length of each symbol out |
| `styles` | the voices: their files, and blends of them |
| `languages` | what is spoken by whom, and espeak-ng's names for it |
| `spelling`, `respelling` | words → the network's symbols, each with its word |
| `japanese`, `kana` | the same for Japanese, which espeak-ng cannot read |
| `sound` | from a run of the network to sound and times at the rate that is wanted |

The model files are those of `kokoro-onnx`, but not its code: that runs espeak-ng inside the service
(see docs/decisions/0006) and gives no times.
"""

from voicemesh_tts.engines.kokoro.engine import KokoroEngine, KokoroOptions

__all__ = ("KokoroEngine", "KokoroOptions")
