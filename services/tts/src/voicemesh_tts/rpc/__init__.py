"""The gRPC face: `servicer` translates calls, `convert` their messages, both without judgement."""
