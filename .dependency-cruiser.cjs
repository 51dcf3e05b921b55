/** The direction of dependencies: contracts know nobody, the product never knows its local stand-ins. */
const may = (from, ...folders) => ({
  name: `${from}-imports`,
  comment: `${from}/ may import only: ${[from, ...folders].join(", ")}`,
  severity: "error",
  from: { path: `^${from}/` },
  to: {
    path: "^(build\\.ts|contracts|engine|programs|processors|glue|local|test|bench)(/|$)",
    pathNot: `^(${[from, ...folders].join("|")})/`,
  },
});

module.exports = {
  forbidden: [
    may("contracts"),
    may("programs", "contracts"),
    may("processors", "contracts"),
    may("engine", "contracts", "programs"),
    {
      name: "the-agpl-library-stays-in-its-stand-in",
      comment:
        "mupdf is AGPL: it serves the local stand-in of Document Engine and never reaches anything that is shipped",
      severity: "error",
      from: { pathNot: "^(local/document-engine|test|bench)/" },
      to: { path: "^(node_modules/)?mupdf(/|$)" },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "automation-api-only-in-the-deployer",
      comment: "engine/deployer is the only place that drives Pulumi",
      severity: "error",
      from: { path: "^(contracts|engine|programs|processors)/", pathNot: "^engine/deployer/" },
      to: { path: "@pulumi/pulumi/automation" },
    },
    {
      name: "each-processor-stands-alone",
      severity: "error",
      from: { path: "^processors/([^/]+)/" },
      to: { path: "^processors/", pathNot: "^processors/($1|shared)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js"] },
  },
};
