#include "ui/window/details.h"

#include "ui/model/format.h"
#include "ui/model/service.h"
#include "ui/model/words.h"
#include "ui/window/device_model.h"
#include "ui/window/event_model.h"
#include "ui/window/history_view.h"
#include "ui/window/request_model.h"

#include <QtCore/QLocale>
#include <QtGui/QClipboard>
#include <QtGui/QGuiApplication>
#include <QtWidgets/QFormLayout>
#include <QtWidgets/QHeaderView>
#include <QtWidgets/QLabel>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QScrollArea>
#include <QtWidgets/QTableView>
#include <chrono>

namespace belay::ui {
namespace {

using namespace std::chrono_literals;

constexpr auto kRequestPeriod = 250ms;
constexpr auto kHistoryPeriod = 1s;
constexpr qsizetype kReportedEvents = 200;

QTableView* makeTable(QAbstractItemModel* model, const QString& name, const QString& description,
                      QWidget* parent) {
    auto* const table = new QTableView(parent);
    table->setModel(model);
    table->setAccessibleName(name);
    table->setAccessibleDescription(description);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setShowGrid(false);
    table->setTabKeyNavigation(false);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(table->fontMetrics().height() + 6);
    table->horizontalHeader()->setStretchLastSection(true);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeading | Qt::AlignVCenter);
    return table;
}

QString holdersText(const Device& device) {
    QStringList lines;
    for (const bus::Holder& holder : device.holders)
        lines += Words::holder(holder);
    return lines.isEmpty() ? Details::tr("Nobody") : lines.join(QLatin1Char('\n'));
}

// The rows of the page "Details": what each is called, and its value.
struct Row {
    const char* name;
    QString (*value)(const Service&, const Device&);
};

const Row kRows[] = {
    {QT_TRANSLATE_NOOP("belay::ui::Details", "State:"),
     [](const Service&, const Device& device) {
         return Words::of(device, Clock::current().now()).line();
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Why:"),
     [](const Service&, const Device& device) { return device.explanation; }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Gadget:"),
     [](const Service& service, const Device& device) {
         const Gadget* const gadget = service.gadget(device.gadget);
         return gadget == nullptr ? QString() : gadget->title();
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Kind:"),
     [](const Service&, const Device& device) {
         return device.readOnly ? Details::tr("%1, read-only").arg(Words::direction(device))
                                : Words::direction(device);
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Where:"),
     [](const Service&, const Device& device) {
         return pathText(device.lent() ? device.fileName : device.node);
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Size:"),
     [](const Service&, const Device& device) {
         const QLocale locale;
         //: %1 is a size such as 3.2 MB, %2 the same in bytes, %3 the size of a block in bytes
         return Details::tr("%1 (%2 bytes, in blocks of %3)")
             .arg(sizeText(device.size), locale.toString(device.size),
                  locale.toString(device.blockSize));
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Used by:"),
     [](const Service&, const Device& device) {
         return device.lent() ? Details::tr("The gadget knows") : holdersText(device);
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "If unplugged:"),
     [](const Service&, const Device& device) {
         return Words::policy(device.policy, device.policySeconds);
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Moved:"),
     [](const Service&, const Device& device) {
         //: %1 and %2 are sizes such as 3.2 MB
         return Details::tr("%1 read, %2 written")
             .arg(sizeText(device.readBytes), sizeText(device.writtenBytes));
     }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Restarts survived:"),
     [](const Service&, const Device& device) { return QLocale().toString(device.recoveries); }},
    {QT_TRANSLATE_NOOP("belay::ui::Details", "Identity:"),
     [](const Service&, const Device& device) { return device.exportUuid; }},
};

}  // namespace

Details::Details(Service& service, DeviceModel& devices, QWidget* parent)
    : QTabWidget(parent),
      service_(service),
      devices_(devices),
      requests_(new RequestModel(this)),
      events_(new EventFilter(this)) {
    setAccessibleName(tr("About the selected device"));
    setAccessibleDescription(tr("Its requests, its history, its events, and all else"));
    setDocumentMode(true);
    events_->setSourceModel(new EventModel(service, this));
    requestsPage_ = makeRequestsPage();
    //: Requests that are not answered yet; a page's title
    addTab(requestsPage_, tr("In &flight"));
    addTab(makeHistoryPage(), tr("H&istory"));
    addTab(makeEventsPage(), tr("&Events"));
    addTab(makeDetailsPage(), tr("De&tails"));

    requestTimer_.setInterval(kRequestPeriod);
    historyTimer_.setInterval(kHistoryPeriod);
    connect(&requestTimer_, &Timer::timeout, this, &Details::askForRequests);
    connect(&historyTimer_, &Timer::timeout, this, &Details::updateHistory);
    connect(this, &QTabWidget::currentChanged, this, &Details::adjustTimers);
    connect(&service, &Service::standingChanged, this, &Details::adjustTimers);
    const auto mine = [this](const QString& path) {
        if (path == device_)
            updateDetails();
    };
    connect(&service, &Service::deviceChanged, this, mine);
    connect(&service, &Service::countersChanged, this, mine);
    setDevice({});
}

QWidget* Details::makeRequestsPage() {
    auto* const page = new QWidget(this);
    requestsView_ = makeTable(requests_, tr("Requests in flight"),
                              tr("A row for each request that is not answered yet"), page);
    requestsNote_ = new QLabel(page);
    requestsNote_->setAccessibleName(tr("About the requests in flight"));
    requestsNote_->setAlignment(Qt::AlignCenter);
    requestsNote_->setWordWrap(true);
    auto* const layout = new QVBoxLayout(page);
    layout->setContentsMargins({});
    layout->addWidget(requestsView_);
    layout->addWidget(requestsNote_);
    return page;
}

QWidget* Details::makeHistoryPage() {
    history_ = new HistoryView(this);
    return history_;
}

QWidget* Details::makeEventsPage() {
    QTableView* const table =
        makeTable(events_, tr("Events"), tr("What happened to the device, the newest first"), this);
    const int character = fontMetrics().averageCharWidth();
    table->setColumnWidth(EventModel::kTime, character * 18);
    table->setColumnWidth(EventModel::kSubject, character * 22);
    return table;
}

QWidget* Details::makeDetailsPage() {
    auto* const content = new QWidget;
    auto* const form = new QFormLayout(content);
    for (const Row& row : kRows) {
        auto* const value = new QLabel(content);
        value->setTextFormat(Qt::PlainText);
        value->setWordWrap(true);
        value->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
        form->addRow(tr(row.name), value);
        values_ += value;
    }
    auto* const copy = new QPushButton(tr("&Copy report"), content);
    copy->setAccessibleName(tr("Copy report"));
    copy->setAccessibleDescription(
        tr("Puts all that is known about this device on the clipboard, for a report of a fault"));
    connect(copy, &QPushButton::clicked, this, &Details::copyReport);
    form->addRow(copy);
    auto* const area = new QScrollArea(this);
    area->setAccessibleName(tr("Details"));
    area->setAccessibleDescription(tr("All that is known of the device"));
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    area->setWidget(content);
    return area;
}

void Details::setDevice(const QString& path) {
    device_ = path;
    requests_->setRequests({});
    events_->setPath(path);
    adjustTimers();
    updateHistory();
    updateDetails();
    requestsNote_->setVisible(path.isEmpty());
    requestsView_->setVisible(!path.isEmpty());
    requestsNote_->setText(tr("Select a device to see its requests"));
}

void Details::adjustTimers() {
    const bool there =
        isVisible() && !device_.isEmpty() && service_.standing() == Service::Standing::Running;
    const auto run = [&](Timer& timer, QWidget* page) {
        const bool wanted = there && currentWidget() == page;
        if (wanted && !timer.isActive())
            timer.start();
        else if (!wanted)
            timer.stop();
    };
    run(requestTimer_, requestsPage_);
    run(historyTimer_, history_);
    if (requestTimer_.isActive())
        askForRequests();
    if (historyTimer_.isActive())
        updateHistory();
}

void Details::showEvent(QShowEvent* event) {
    QTabWidget::showEvent(event);
    adjustTimers();
}

void Details::hideEvent(QHideEvent* event) {
    QTabWidget::hideEvent(event);
    requestTimer_.stop();
    historyTimer_.stop();
}

void Details::askForRequests() {
    // A slow service is not asked again before it has answered.
    if (asked_)
        return;
    asked_ = true;
    service_.listInFlight(
        device_, this, [this, device = device_](bool ok, const QList<bus::Request>& requests) {
            asked_ = false;
            if (device != device_)
                return;
            requests_->setRequests(requests);
            const bool none = requests.isEmpty();
            requestsNote_->setVisible(none);
            requestsView_->setVisible(!none);
            requestsNote_->setText(ok ? tr("No requests are in flight")
                                      : tr("The requests cannot be listed just now"));
        });
}

void Details::updateHistory() {
    if (history_->isVisible() || device_.isEmpty())
        history_->show(devices_.history(device_));
}

void Details::updateDetails() {
    const Device* const device = service_.device(device_);
    for (qsizetype i = 0; i < values_.size(); ++i) {
        const QString text = device == nullptr ? QString() : kRows[i].value(service_, *device);
        if (values_[i]->text() != text || values_[i]->accessibleName().isEmpty()) {
            values_[i]->setText(text);
            values_[i]->setAccessibleName(tr(kRows[i].name) + QLatin1Char(' ') + text);
        }
    }
}

namespace {

// Without what names things of the user's: files, shares, ports, and what may speak of them.
QString reportOf(const bus::Event& event) {
    static const QStringList kPublic{"from",   "to",     "problem", "recoveries",
                                     "change", "action", "policy",  "seconds"};
    QStringList words{timeOf(event.time).toString(Qt::ISODateWithMs), event.kind};
    for (const QString& name : kPublic)
        if (const QString value = event.details.value(name).toString(); !value.isEmpty())
            words += name + QLatin1Char('=') + value;
    return words.join(QLatin1Char(' '));
}

}  // namespace

QString Details::report() const {
    const Device* const device = service_.device(device_);
    if (device == nullptr)
        return {};
    const Manager& manager = service_.manager();
    // In English whatever the user's language is: it is for whoever mends it.
    QStringList lines{
        QStringLiteral("Belay %1, belayd %2, Linux %3")
            .arg(QLatin1String(BELAY_VERSION), manager.version, manager.kernelRelease),
        QStringLiteral("problems of the system: %1").arg(manager.problems.join(QLatin1Char(' '))),
        QStringLiteral("%1, %2 bytes in blocks of %3%4")
            .arg(device->direction)
            .arg(device->size)
            .arg(device->blockSize)
            .arg(device->readOnly ? QStringLiteral(", read-only") : QString()),
        QStringLiteral("state %1 since %2, problems: %3")
            .arg(device->state, device->since.toString(Qt::ISODateWithMs),
                 device->problems.join(QLatin1Char(' '))),
        QStringLiteral("policy %1 %2, recoveries %3, pid %4")
            .arg(device->policy)
            .arg(device->policySeconds)
            .arg(device->recoveries)
            .arg(device->daemonPid),
        QStringLiteral("in flight %1, parked %2, oldest %3 ms, unsaved %4 bytes")
            .arg(device->inFlight)
            .arg(device->parked)
            .arg(device->oldestMs)
            .arg(device->unsavedBytes),
        QStringLiteral("read %1 bytes in %2, written %3 bytes in %4, holders %5")
            .arg(device->readBytes)
            .arg(device->readOps)
            .arg(device->writtenBytes)
            .arg(device->writeOps)
            .arg(device->holders.size())};
    if (const Gadget* const gadget = service_.gadget(device->gadget))
        lines += QStringLiteral("gadget %1:%2, %3 Mbit/s, link %4, protocol %5")
                     .arg(gadget->vendorId, 4, 16, QLatin1Char('0'))
                     .arg(gadget->productId, 4, 16, QLatin1Char('0'))
                     .arg(gadget->speedMbps)
                     .arg(gadget->link, gadget->protocol);
    QStringList events;
    for (const bus::Event& event : service_.events())
        if (event.subject.path() == device_ || event.subject.path() == device->gadget)
            events += reportOf(event);
    return (lines + events.mid(qMax<qsizetype>(0, events.size() - kReportedEvents)))
               .join(QLatin1Char('\n')) +
           QLatin1Char('\n');
}

void Details::copyReport() {
    QGuiApplication::clipboard()->setText(report());
}

}  // namespace belay::ui
