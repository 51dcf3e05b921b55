"""Tables copied by Spark's JDBC source and sink, nothing tuned: what one writes first.

Arguments: the source schema, the target schema, then the tables, parents first. The login comes as JSON on standard
input. Prints the seconds that the copy took without Spark's own start.
"""

import json
import sys
import time

from pyspark.sql import SparkSession

source, target, *tables = sys.argv[1:]
login = json.load(sys.stdin)
session = SparkSession.builder.appName("jdbc with defaults").getOrCreate()


def options(schema: str, table: str) -> dict[str, str]:
    return {
        "driver": "com.mysql.cj.jdbc.Driver",
        "url": f"jdbc:mysql://{login['host']}:{login['port']}/{schema}",
        "user": login["username"],
        "password": login["password"],
        "dbtable": table,
    }


began = time.monotonic()
for table in tables:
    rows = session.read.format("jdbc").options(**options(source, table)).load()
    rows.write.format("jdbc").options(**options(target, table)).mode("append").save()
print(time.monotonic() - began)
session.stop()
