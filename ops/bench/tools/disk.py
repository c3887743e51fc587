"""A file system in a file, mounted through a loop device: it can be small, and its power can be cut. Needs root."""

import fcntl
import os
import shutil
import struct
import subprocess

# ext4: stop at once, and do not write the journal out (linux/ext4.h, EXT4_GOING_FLAGS_NOLOGFLUSH).
EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


class Disk:
    def __init__(self, image, mount, octets):
        if os.geteuid() != 0:
            raise SystemExit("root is needed to mount a file system")
        self.image = image
        self.path = mount
        os.makedirs(mount, exist_ok=True)
        with open(image, "wb") as file:
            file.truncate(octets)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)
        self.is_mounted = True

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", self.path], check=True)
            self.is_mounted = False

    def cut_power(self):
        """From here on nothing reaches the image: neither dirty pages nor the journal. Whoever has files open must end."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def copy_image(self, path):
        subprocess.run(["cp", "--sparse=always", self.image, path], check=True)

    def replace_image(self, path):
        self.unmount()
        os.replace(path, self.image)
        self.mount()

    @property
    def free(self):
        return shutil.disk_usage(self.path).free
