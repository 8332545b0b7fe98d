"""Files and how they come in."""

from dataclasses import dataclass

from app.core.media.scanner import Scanner
from app.core.objects import Objects
from app.core.pagination import Cursors
from app.files.addresses import FileAddresses
from app.files.contents import Contents
from app.files.jobs import FileJobs
from app.files.quotas import Quotas
from app.files.repository import FileRepository
from app.files.service import FileService
from app.projects.service import ProjectService
from app.uploads.direct import DirectUploads
from app.uploads.examination import Examination
from app.uploads.receiving import Receiving
from app.uploads.repository import UploadRepository
from app.uploads.resumable import Resumable
from app.uploads.service import UploadRules, UploadService
from app.uploads.under_way import UploadsUnderWay
from app.users.service import UserService
from app.wiring.foundations import Foundations


@dataclass
class Files:
    """The services that others use."""

    files: FileService
    uploads: UploadService
    objects: Objects
    jobs: FileJobs


def build_files(base: Foundations, users: UserService, projects: ProjectService) -> Files:
    settings, rows, store = base.settings, FileRepository(base.uow), base.store
    addresses = FileAddresses(
        base.ring.derive("file-url"), settings.base_url, settings.file_url_seconds, base.clock
    )
    scanner = Scanner(settings.clamd_url) if settings.clamd_url else None
    objects = base.add(Objects(base.uow, store, base.clock))
    files = base.add(
        FileService(
            base.uow, rows, projects, addresses, Quotas.of(settings), Cursors(base.ring.derive("cursor")),
            base.events, base.clock, scanned=scanner is not None,
        )
    )  # fmt: skip
    base.add(Contents(base.uow, files, rows, users, store, addresses, scanned=scanner is not None))
    jobs = FileJobs(
        base.uow,
        rows,
        projects,
        users,
        objects,
        store,
        scanner,
        base.events,
        base.letters,
        base.jobs,
        base.clock,
    )
    jobs.register_with(base.jobs)
    return Files(files, _build_uploads(base, files, objects), objects, jobs)


def _build_uploads(base: Foundations, files: FileService, objects: Objects) -> UploadService:
    rows, store = UploadRepository(base.uow), base.store
    examination = Examination(store, base.settings.upload_types)
    uploads = base.add(
        UploadService(base.uow, rows, files, objects, UploadRules.of(base.settings), base.jobs, base.clock)
    )
    base.add(Receiving(base.uow, uploads, examination, store))
    base.add(Resumable(base.uow, rows, uploads, files, objects, examination, store))
    base.add(DirectUploads(base.uow, rows, uploads, files, objects, examination, store))
    base.add(UploadsUnderWay(base.uow, rows, uploads, Cursors(base.ring.derive("cursor"))))
    return uploads
