"""The fanotify backend: what happens to files, on the whole machine or below given folders."""
