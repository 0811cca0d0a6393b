import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { Theme } from '../../figures/theme'
import { computedBy, exportName, reportContent } from '../../store/export-content'
import { viewById } from '../../store/views'
import { useShownCount } from '../plot/shown-figures'
import { useApp, useStateReader, useVocabulary } from '../use-app'
import { drawSheet, type FigureSize, plotlyFile, pngFile, type SheetText, svgFile } from './draw-figures'
import { ExportLine } from './ExportLine'
import styles from './export.module.css'

const SIZES: readonly { readonly value: FigureSize; readonly label: string }[] = [
  { value: '1x', label: '1×' },
  { value: '2x', label: '2×' },
  { value: 'print', label: 'Print, 170 mm' },
]
const THEMES: readonly { readonly value: Theme; readonly label: string }[] = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

/** The figures of the view on screen as pictures. */
export function FiguresGroup() {
  const read = useStateReader()
  const vocabulary = useVocabulary()
  const view = useApp((state) => viewById(state.view.view))
  const name = useApp((state) => exportName(state, vocabulary, [view.id], 'png'))
  const [size, setSize] = useState<FigureSize>('2x')
  const [theme, setTheme] = useState<Theme>('light')
  const count = useShownCount()
  const text = (): SheetText => {
    const { title, conditions } = reportContent(read(), vocabulary, '')
    return { title: `${view.label}: ${title}`, caption: [...conditions, computedBy(read())] }
  }
  if (count === 0) return <p className={styles.obstacle}>The view {view.label} shows no figure now.</p>
  const many = count === 1 ? 'The figure' : `All ${count} figures`
  const contains = `${many} of the view ${view.label} with titles, captions and the conditions below.`
  return (
    <>
      <div className={styles.choices}>
        <SegmentedControl
          size="xs"
          aria-label="Size"
          data-test="export-size"
          value={size}
          onChange={(value) => setSize(SIZES.find((each) => each.value === value)?.value ?? '2x')}
          data={[...SIZES]}
        />
        <SegmentedControl
          size="xs"
          aria-label="Theme of the figures"
          data-test="export-theme"
          value={theme}
          onChange={(value) => setTheme(value === 'dark' ? 'dark' : 'light')}
          data={[...THEMES]}
        />
      </div>
      <ExportLine
        hook="png"
        name={name}
        contains={size === 'print' ? `${contains} 170 mm wide at 300 dots per inch.` : contains}
        make={async () => pngFile(await drawSheet(size, theme, text()), size)}
      />
      <ExportLine
        hook="svg"
        name={name.replace(/png$/, 'svg')}
        contains={`${contains} Lines and text stay lines and text; surfaces and maps are images in it.`}
        make={async () => svgFile(await drawSheet(size, theme, text()), size)}
      />
      <ExportLine
        hook="plotly"
        name={name.replace(/png$/, 'plotly.json')}
        contains="Data and layout of each figure, as Plotly takes them in any language."
        without="more numbers than are drawn; results.json has all."
        button="Save JSON"
        make={() => plotlyFile(theme, text())}
      />
    </>
  )
}
