"""A headless Chromium, driven through ChromeDriver's HTTP interface with nothing but the standard library."""
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request


class Browser:
    """One window; use it in a with statement."""

    def __init__(self, profile):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       start_new_session=True)
        self.session = None
        try:
            self._wait_for_driver()
            arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         f"--user-data-dir={profile}"]
            wanted = {"browserName": "chrome", "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": arguments},
                      "goog:loggingPrefs": {"browser": "ALL"}}
            self.session = self._post("/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the browser and its driver, also when they no longer answer."""
        try:
            if self.session:
                self._request("DELETE", f"/session/{self.session}")
        finally:
            os.killpg(self.driver.pid, signal.SIGKILL)
            self.driver.wait()

    def show(self, path, width, height=900, scheme="light"):
        """Opens a page of a file in a window of that size, for an eye that prefers the scheme."""
        self._devtools("Emulation.setDeviceMetricsOverride",
                       {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self._devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.command("url", {"url": f"file://{path}"})
        self.wait_for_charts()

    def wait_for_charts(self):
        """They are drawn in the frame after they got their width."""
        frames = "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(arguments[0])));"
        self.command("execute/async", {"script": frames, "args": []})

    def run(self, script, *arguments):
        """What the body of a function returns."""
        return self.command("execute/sync", {"script": script, "args": list(arguments)})

    def press(self, key):
        """A key, for whatever has the focus: WebDriver's code of it."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.command("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    def console(self):
        """What the console has said since it was last asked."""
        return [entry["message"] for entry in self.command("se/log", {"type": "browser"})]

    def screenshot(self, path, selector="body"):
        """All of an element, as a PNG file."""
        box = self.run("const r = document.querySelector(arguments[0]).getBoundingClientRect();"
                       "return { x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height, scale: 1 };", selector)
        image = self._devtools("Page.captureScreenshot", {"format": "png", "clip": box, "captureBeyondViewport": True})
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))

    def command(self, name, body):
        """A command of WebDriver within the session."""
        return self._post(f"/session/{self.session}/{name}", body)

    def _devtools(self, name, parameters):
        return self.command("goog/cdp/execute", {"cmd": name, "params": parameters})

    def _wait_for_driver(self):
        for _ in range(300):
            try:
                if self._request("GET", "/status")["ready"]:
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.1)
        raise RuntimeError("ChromeDriver does not answer")

    def _post(self, path, body):
        return self._request("POST", path, json.dumps(body).encode())

    def _request(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {json.load(error)['value']['message']}") from error
