"""Writing runs while they happen: `recorder.Recorder` is what others use."""
