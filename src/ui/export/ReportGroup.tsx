import { reportHtml } from '../../figures/export/report'
import { exportName, reportContent } from '../../store/export-content'
import { viewById } from '../../store/views'
import { useApp, useStateReader, useVocabulary } from '../use-app'
import { drawFigures } from './draw-figures'
import { ExportLine } from './ExportLine'
import { textBlob } from './save-file'

/** The address of the page without what follows it. */
const pageAddress = () => location.href.replace(/#.*$/, '')

/** One page that stands alone. */
export function ReportGroup() {
  const read = useStateReader()
  const vocabulary = useVocabulary()
  const view = useApp((state) => viewById(state.view.view))
  const name = useApp((state) => exportName(state, vocabulary, ['report'], 'html'))
  return (
    <ExportLine
      hook="report"
      name={name}
      contains={`Answer line, table, the figures of the view ${view.label}, settings, what the methods say, measured findings, versions, seed and link; no script, ready to print.`}
      without="weights, activations; other views."
      make={async () => {
        const figures = await drawFigures('light', view.label)
        return textBlob(reportHtml({ ...reportContent(read(), vocabulary, pageAddress()), figures }), 'text/html')
      }}
    />
  )
}
