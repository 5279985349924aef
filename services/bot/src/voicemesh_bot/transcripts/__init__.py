"""What was said, for people to read: live captions, and transcripts as files.

- `captions`: which lines are shown, and when; `caption_feed` carries it out.
- `notes`: lines of a transcript from what happens in a conversation.
- `keeping`: hands them to the store in the background, and lets them expire.
- `exports`: transcripts as `txt`, `srt` and `json`. `files`: a whole one from the store.
"""

from voicemesh_bot.transcripts.exports import TranscriptFormat, export, file_name

__all__ = ("TranscriptFormat", "export", "file_name")
