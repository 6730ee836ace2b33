"""capture_times.py LINE FILE: for each picture of the pipeline LINE, which ends in JPEG, prints the time of its capture
as GStreamer knows it, in nanoseconds since 1900 or "none", and appends its luma to FILE."""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

line, file = sys.argv[1:]
Gst.init(None)
line += " ! jpegdec ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=pictures sync=false"
pipeline = Gst.parse_launch(line)
pictures = pipeline.get_by_name("pictures")
ntp = Gst.Caps.from_string("timestamp/x-ntp")
pipeline.set_state(Gst.State.PLAYING)
with open(file, "ab", buffering=0) as planes:
    while sample := pictures.emit("pull-sample"):
        picture = sample.get_buffer()
        reference = picture.get_reference_timestamp_meta(ntp)
        planes.write(picture.extract_dup(0, picture.get_size()))
        print(reference.timestamp if reference else "none", flush=True)
