"""A plugin for OctoPrint 2.0: the serial connector behind a secret, as connectors of networked printers have one.

It is what the servers of the tests prefer. Whoever connects without the preferred connector's own parameters is refused,
and whoever shows them gives the secret away.
"""

import octoprint.plugin


class GuardedConnectorPlugin(octoprint.plugin.OctoPrintPlugin):
    def initialize(self):
        from octoprint.plugins.serial_connector.connector import ConnectedSerialPrinter
        from octoprint.settings import settings

        class GuardedPrinter(ConnectedSerialPrinter):
            connector = "guarded"
            name = "Guarded Connection"

            @classmethod
            def connection_preconditions_met(cls, params):
                code = settings().get(["printerConnection", "preferred", "parameters", "access_code"])
                return params.get("access_code") == code and super().connection_preconditions_met(params)

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self._access_code = kwargs.get("access_code")

            @property
            def connection_parameters(self):
                return super().connection_parameters | {"access_code": self._access_code}


__plugin_name__ = "Guarded Connector"
__plugin_version__ = "1.0"
__plugin_pythoncompat__ = ">=3.9,<4"
__plugin_implementation__ = GuardedConnectorPlugin()
