// The entry points of plotly.js that our partial bundle is made of. They are CommonJS: one object each, imported as
// the default.
declare module 'plotly.js/lib/core' {
  const core: typeof import('plotly.js')
  export default core
}

declare module 'plotly.js/lib/bar' {
  const trace: Exclude<Parameters<typeof import('plotly.js').register>[0], readonly unknown[]>
  export default trace
}

declare module 'plotly.js/lib/heatmap' {
  const trace: Exclude<Parameters<typeof import('plotly.js').register>[0], readonly unknown[]>
  export default trace
}

declare module 'plotly.js/lib/surface' {
  const trace: Exclude<Parameters<typeof import('plotly.js').register>[0], readonly unknown[]>
  export default trace
}
