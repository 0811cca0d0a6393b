import { describe, expect, test } from 'vitest'
import { fileName } from '../../../src/figures/export/file-name'
import { escaped, wrapped } from '../../../src/figures/export/markup'
import { type Report, reportHtml } from '../../../src/figures/export/report'
import { inMillimetres, rowsOf, type Sheet, sheetSvg } from '../../../src/figures/export/sheet'

/** A drawing as Plotly writes one, with a clip of its own. */
const drawing = (id: string) =>
  `<svg class="main-svg" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="300" height="200" viewBox="0 0 300 200">` +
  `<defs><clipPath id="${id}"><rect width="10" height="10"/></clipPath></defs><path clip-path="url(#${id})" d="M0 0L5 5"/></svg>`

const panel = (title: string, caption = 'A finding.') => ({
  title,
  caption,
  svg: drawing(title.replace(/\W/g, '')),
  width: 300,
  height: 200,
})

const SHEET: Sheet = {
  title: 'Distribution: Demo layer, W4A4',
  rows: [[panel('● RTN'), panel('▲ QuaRot <x> & "y"')], [panel('◆ FlatQuant', `${'long finding '.repeat(40)}end`)]],
  caption: ['scale rule floor (OCP) · seed 7', 'A note.'],
  theme: 'light',
}

describe('text in markup', () => {
  test('escapes what HTML and XML read', () => {
    expect(escaped(`<a href="x">'&'</a>`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;')
  })

  test('replaces what XML has no place for', () => {
    expect(escaped('a\u0000b\uD800c\u0007')).toBe('a\uFFFDb\uFFFDc\uFFFD')
    expect(escaped('é 中 😀\n\t')).toBe('é 中 😀\n\t')
  })

  test('wraps between words, and cuts a word that is too long for any line', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrapped('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij'])
    expect(wrapped('  ', 5)).toEqual([])
  })
})

describe('file names', () => {
  test.each([
    [
      ['model.layers.2.self_attn.q_proj', 'W4A4', 'quarot+gptq'],
      'model.layers.2.self_attn.q_proj-W4A4-quarot+gptq.csv',
    ],
    [['a b/c', 'int4(group=128)/16'], 'a-b-c-int4-group-128-16.csv'],
    [['..', '/', 'é'], 'e.csv'],
    [['', ' '], 'mxscope.csv'],
    [['../../etc/passwd'], 'etc-passwd.csv'],
  ])('%j', (parts, name) => {
    expect(fileName(parts, 'csv')).toBe(name)
  })

  test('stay short enough for every system', () => {
    expect(fileName(['x'.repeat(1000)], 'csv').length).toBeLessThanOrEqual(150)
  })
})

describe('a sheet', () => {
  const { svg, width, height } = sheetSvg(SHEET)

  test('holds every panel with its title, and the conditions below', () => {
    expect(svg.match(/<path clip-path/g)).toHaveLength(3)
    expect(svg).toContain('<title>▲ QuaRot &lt;x&gt; &amp; &quot;y&quot;</title>')
    expect(svg).toContain('>scale rule floor (OCP) · seed 7</text>')
    expect(svg).toContain('>Distribution: Demo layer, W4A4</text>')
    expect(svg.indexOf('A note.')).toBeGreaterThan(svg.indexOf('FlatQuant'))
  })

  test('is as wide as its widest row and taller than its drawings', () => {
    expect(width).toBe(300 + 16 + 300 + 32)
    expect(height).toBeGreaterThan(2 * 200)
    expect(svg).toMatch(new RegExp(`^<svg [^>]*width="${width}" height="${height}"`))
  })

  test('opens and closes every element', () => {
    const open = svg.match(/<svg[\s>]/g)?.length
    expect(svg.match(/<\/svg>/g)).toHaveLength(open ?? 0)
    expect(open).toBe(4)
  })

  test('wraps captions to the width of their panel', () => {
    const lines = [...svg.matchAll(/<text x="16"[^>]*font-size="10.5"[^>]*>([^<]*long finding[^<]*)</g)]
    expect(lines.length).toBeGreaterThan(5)
    for (const [, text] of lines) expect(text.length).toBeLessThanOrEqual(52)
  })

  test('puts the second row below the first', () => {
    const tops = [...svg.matchAll(/<svg x="\d+" y="(\d+(?:\.\d+)?)"/g)].map(([, y]) => Number(y))
    expect(tops[0]).toBe(tops[1])
    expect(tops[2]).toBeGreaterThan(tops[0] + 200)
  })

  test('is 170 mm wide on paper, in the same shape', () => {
    const printed = inMillimetres({ svg, width, height }, 170)
    expect(printed).toMatch(/^<svg [^>]*width="170mm" height="[\d.]+mm" viewBox="0 0 /)
    const tall = Number(/height="([\d.]+)mm"/.exec(printed)?.[1])
    expect(tall / 170).toBeCloseTo(height / width, 3)
  })
})

test('figures whose tops are level share a row, from left to right', () => {
  const places = [
    { left: 300, top: 101 },
    { left: 0, top: 100 },
    { left: 10, top: 400 },
    { left: 600, top: 104 },
  ]
  expect(rowsOf(places)).toEqual([[1, 0, 3], [2]])
  expect(rowsOf([])).toEqual([])
})

const REPORT: Report = {
  title: 'Demo layer, W4A4 <script>',
  answer: 'RTN 14.1 dB & QuaRot 12.0 dB.',
  conditions: ['captured · seed 7'],
  results: {
    columns: ['Method', 'Out SQNR [dB]'],
    rows: [
      ['RTN', '14.1'],
      ['<b>', '−1.3'],
    ],
  },
  figures: [{ title: 'RTN', caption: 'RTN: maximum 4.', svg: `<?xml version="1.0"?>${drawing('a')}` }],
  findings: { columns: ['Finding', 'Verdict'], rows: [['MXFP8 is near-lossless', 'holds <here>']] },
  methods: [{ name: 'RTN', summary: 'Rounds.', source: 'OCP', options: '', notes: ['A "note".'] }],
  provenance: [['Program', 'MXScope']],
  link: 'https://example.org/#v=1&w="><script>alert(1)</script>',
}

describe('the report', () => {
  const html = reportHtml(REPORT)

  test('stands alone: no script, nothing loaded, and a policy that says so', () => {
    expect(html).not.toMatch(/<script/i)
    expect(html).not.toMatch(/<(?:link|iframe|object|embed|img)\b/i)
    expect(html).not.toMatch(/\ssrc=|@import|url\((?!#|&quot;#)/i)
    expect(html).toContain("default-src 'none'")
    expect(html).not.toContain('<?xml')
  })

  test('holds answer, table, figure, notes and link, all escaped', () => {
    expect(html).toContain('<p class="answer">RTN 14.1 dB &amp; QuaRot 12.0 dB.</p>')
    expect(html).toContain('<th scope="row">&lt;b&gt;</th><td>−1.3</td>')
    expect(html).toContain('<figcaption>RTN: maximum 4.</figcaption>')
    expect(html).toContain('<li>A &quot;note&quot;.</li>')
    expect(html).toContain('href="https://example.org/#v=1&amp;w=&quot;&gt;&lt;script&gt;')
    expect(html).toContain('<path clip-path="url(#a)"')
  })

  test('leaves the headings of figures and findings out where there are none', () => {
    expect(html).toContain('<th scope="row">MXFP8 is near-lossless</th><td>holds &lt;here&gt;</td>')
    const bare = reportHtml({ ...REPORT, figures: [], findings: null })
    expect(bare).not.toContain('<h2>Figures</h2>')
    expect(bare).not.toContain('<h2>Findings')
  })
})
