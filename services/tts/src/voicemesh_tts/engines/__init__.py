"""Speech engines behind `ports.VoiceEngine`; only here are model libraries used."""
